import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface ConfirmProps {
  readonly title: string
  /** What the button says that does it. */
  readonly yes: string
  readonly confirmed: () => void
  readonly left: () => void
  readonly children: ComponentChildren
}

/** Asks before something is done that cannot be undone. Escape leaves; the browser keeps the focus inside. */
export function Confirm({ title, yes, confirmed, left, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={left}>
      <h3 id="confirm-title">{title}</h3>
      <p>{children}</p>
      <div class="actions">
        <button type="button" class="button deny" onClick={confirmed}>
          {yes}
        </button>
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </div>
    </dialog>
  )
}
