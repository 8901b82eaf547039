import type { MaskStyle } from '../policy/snapshot.ts'
import type { Finding } from '../scanner/finding.ts'
import { scannerStyle } from '../wire/scanners.ts'
import type { TextMasker } from '../wire/text_masker.ts'
import type { Exchange } from './exchange.ts'

/**
 * Masks path, query and header values of the request. Keywords count in the query only: in headers and paths they are
 * names, not what somebody asks for.
 */
export function maskHead(exchange: Exchange): void {
  const { policy, head, path, head_findings } = exchange
  const { masker } = policy
  const { secrets, style } = exchange.prepared!.connection.request
  const flags = secrets === 'flag'

  const masked_path = masker.mask(path, scannerStyle(style))
  if (masked_path.findings.length > 0) addSecrets(head_findings, masked_path.findings, 'path')
  exchange.masked_path = masked_path.text
  exchange.forward_path = flags ? path : masked_path.text

  const masked_query = masker.mask(head.query, scannerStyle(style))
  for (const finding of masked_query.findings) head_findings.push({ ...finding, channel: 'query' })
  exchange.masked_query = masked_query.text
  exchange.forward_query = flags ? head.query : masked_query.text

  const masked = maskValues(head.forward, masker, head_findings, style)
  exchange.forward_headers = flags ? head.forward : masked
}

/** @returns `headers` itself when nothing was found in them */
export function maskValues(
  headers: readonly string[],
  masker: TextMasker,
  found: Finding[],
  style: MaskStyle,
): readonly string[] {
  let masked: string[] | null = null
  for (let i = 1; i < headers.length; i += 2) {
    const { text, findings } = masker.mask(headers[i]!, scannerStyle(style))
    if (findings.length === 0) continue
    addSecrets(found, findings, `header.${headers[i - 1]}`)
    masked ??= [...headers]
    masked[i] = text
  }
  return masked ?? headers
}

function addSecrets(found: Finding[], findings: readonly Finding[], channel: string): void {
  for (const finding of findings) if (finding.kind === 'secret') found.push({ ...finding, channel })
}
