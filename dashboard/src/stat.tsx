import type { ComponentChildren } from 'preact'

/** One figure with its name. */
export function Stat({
  name,
  children,
  note,
  state = '',
}: {
  name: string
  children: ComponentChildren
  note?: string
  state?: '' | 'good' | 'bad'
}) {
  return (
    <div class={`stat ${state}`}>
      <dt>{name}</dt>
      <dd>
        {children}
        {note && <span class="dim"> {note}</span>}
      </dd>
    </div>
  )
}
