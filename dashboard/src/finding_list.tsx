import type { Finding } from '../../src/control/messages.ts'

export interface FindingListProps {
  readonly findings: readonly Finding[]
  /** How many there were; more than are listed when there were very many. */
  readonly total: number
}

/** What the scanner found, one line a kind. */
export function FindingList({ findings, total }: FindingListProps) {
  if (total === 0) return null
  const kinds = new Map<string, { readonly finding: Finding; count: number; readonly secrets: Set<string> }>()
  for (const finding of findings) {
    const key = finding.kind === 'keyword' ? `keyword ${finding.masked.toLowerCase()}` : finding.detector
    const known = kinds.get(key) ?? { finding, count: 0, secrets: new Set<string>() }
    known.count += 1
    known.secrets.add(finding.fingerprint)
    kinds.set(key, known)
  }
  return (
    <section class="findings" aria-label="Findings">
      <h3>
        {total} {total === 1 ? 'finding' : 'findings'}
      </h3>
      <ul>
        {[...kinds.values()].map(({ finding, count, secrets }) => (
          <li key={finding.kind + finding.detector + finding.masked}>
            <span class={`chip ${finding.kind === 'keyword' ? 'trigger' : 'mask'}`}>
              {finding.kind === 'keyword' ? finding.masked : finding.detector}
            </span>{' '}
            {count} × {finding.kind === 'keyword' ? 'keyword' : secretText(finding, secrets.size)}
          </li>
        ))}
      </ul>
    </section>
  )
}

function secretText(finding: Finding, secrets: number): string {
  const done = finding.action === 'mask' ? 'masked' : 'flagged, not masked'
  return secrets > 1 ? `${done}, ${secrets} different secrets` : done
}
