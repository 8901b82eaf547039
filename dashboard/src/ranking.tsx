import type { FindingCount } from '../../src/control/api_shapes.ts'
import { countText } from './number_text.ts'

export interface RankingProps {
  readonly title: string
  readonly counts: readonly FindingCount[]
  /** What is looked at alone now; empty for all. By id where there is one, else by name. */
  readonly chosen: string
  readonly href: (id: string) => string
}

/** Names with how many findings each has, most first. A click looks at one alone, another one at all again. */
export function Ranking({ title, counts, chosen, href }: RankingProps) {
  const most = Math.max(1, ...counts.map(({ findings }) => findings))
  return (
    <section class="ranking" aria-label={title}>
      <h3>{title}</h3>
      {counts.length === 0 && <p class="dim">None.</p>}
      <ol>
        {counts.slice(0, 10).map((one) => {
          const id = one.id || one.name
          return (
            <li key={id}>
              <a href={href(id === chosen ? '' : id)} aria-current={id === chosen ? 'true' : undefined}>
                <span class="bar" style={{ width: `${(100 * one.findings) / most}%` }} />
                <span class="name">{one.name || 'nobody'}</span>
                <span class="figure" title={`${one.secrets} different secrets in ${one.exchanges} exchanges`}>
                  {countText(one.findings)}
                </span>
              </a>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
