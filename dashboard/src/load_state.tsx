import type { ComponentChildren } from 'preact'
import type { Loaded } from './use_load.ts'

/** What is shown while nothing has come yet, and what went wrong. Nothing at all when there is data and no failure. */
export function LoadState({ of, what }: { of: Loaded<unknown>; what: string }) {
  if (of.failure) {
    return (
      <p class="failure" role="alert">
        {of.failure}{' '}
        <button type="button" class="link" onClick={of.reload}>
          Try again
        </button>
      </p>
    )
  }
  if (of.data !== null) return null
  return (
    <p class="dim loading" role="status">
      Loading {what}…
    </p>
  )
}

/** Said instead of an empty list. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      {children && <p class="dim">{children}</p>}
    </div>
  )
}
