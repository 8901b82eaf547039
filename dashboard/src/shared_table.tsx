import type { SharedSecret } from '../../src/control/api_shapes.ts'
import { clockText } from './time_text.ts'

export interface SharedTableProps {
  readonly shared: readonly SharedSecret[]
  /** Fingerprint of the one that is opened. */
  readonly selected: string
  readonly href: (fingerprint: string) => string
}

/** Secrets by how many people they were seen with. Known by fingerprint alone: the secret itself is nowhere. */
export function SharedTable({ shared, selected, href }: SharedTableProps) {
  return (
    <section class="shared" aria-label="The same secret seen by">
      <h3>The same secret, seen by</h3>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">Fingerprint</th>
            <th scope="col">Detector</th>
            <th scope="col" class="number">
              People
            </th>
            <th scope="col" class="number">
              Connections
            </th>
            <th scope="col" class="number">
              Exchanges
            </th>
            <th scope="col">Last seen</th>
          </tr>
        </thead>
        <tbody>
          {shared.map((one) => (
            <tr
              key={one.fingerprint}
              aria-current={one.fingerprint === selected ? 'true' : undefined}
              onClick={() => {
                location.hash = href(one.fingerprint)
              }}
            >
              <td>
                <a class="time-link" href={href(one.fingerprint)}>
                  <code>{one.fingerprint}</code>
                </a>
              </td>
              <td>
                <span class="chip mask">{one.detector}</span>
              </td>
              <td class={`number ${one.people > 1 ? 'bad' : ''}`}>{one.people}</td>
              <td class="number">{one.connections}</td>
              <td class="number">{one.exchanges}</td>
              <td class="time">{clockText(one.last_seen)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
