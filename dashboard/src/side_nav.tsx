import type { PageInfo } from './pages.ts'

export interface SideNavProps {
  readonly pages: readonly PageInfo[]
  readonly current: string
  /** Held requests that wait for a decision. */
  readonly waiting: number
}

/** The pages, by what they are about. */
export function SideNav({ pages, current, waiting }: SideNavProps) {
  const groups = [...new Set(pages.map(({ group }) => group))]
  return (
    <nav class="side-nav" aria-label="Pages">
      {groups.map((group) => (
        <ul key={group} aria-label={group}>
          <li class="group" aria-hidden="true">
            {group}
          </li>
          {pages
            .filter((page) => page.group === group)
            .map(({ name, title }) => (
              <li key={name}>
                <a href={`#/${name}`} aria-current={name === current ? 'page' : undefined}>
                  {title}
                  {name === 'approvals' && waiting > 0 && (
                    <span class="count">
                      {waiting}
                      <span class="unseen"> waiting</span>
                    </span>
                  )}
                </a>
              </li>
            ))}
        </ul>
      ))}
    </nav>
  )
}
