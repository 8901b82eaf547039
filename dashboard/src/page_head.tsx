import type { ComponentChildren } from 'preact'

/** A page's title, with what can be set for the whole page beside it. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <h2>{title}</h2>
      {children}
    </header>
  )
}
