import type { BlockDetector, Detector, TokenDetector } from '../scanner/detector.ts'

/**
 * The catalogue as a `gitleaks.toml` (gitleaks 8). Detectors that no regular expression states are named in comments.
 * One difference remains: gitleaks takes the first match of a regex, where ours takes the longest.
 */
export function exportGitleaks(detectors: readonly Detector[]): string {
  const parts = ['title = "Sluice detector catalogue"\n']
  for (const detector of detectors) {
    if (detector.kind === 'builtin')
      parts.push(`# ${detector.id}: found by code, not by a regular expression\n`)
    else parts.push(detector.kind === 'token' ? tokenRule(detector) : blockRule(detector))
  }
  return parts.join('\n')
}

function tokenRule(detector: TokenDetector): string {
  const left = detector.left === 'any' ? '' : '(?:^|[^0-9A-Za-z_])'
  const right = detector.right === 'any' ? '' : '(?:[^0-9A-Za-z_]|$)'
  const entropy = detector.entropy_min === undefined ? '' : `entropy = ${detector.entropy_min}\n`
  return (
    heading(detector) +
    `regex = '''${left}(${detector.pattern})${right}'''\n` +
    `secretGroup = 1\n${entropy}keywords = [${keywords(detector.anchors)}]\n`
  )
}

function blockRule(detector: BlockDetector): string {
  const begin = `${quoteLiteral(detector.begin)}[ -~]{0,64}?${quoteLiteral(detector.begin_contains)}`
  return (
    heading(detector) +
    `regex = '''${begin}[\\s\\S]{12,}?${quoteLiteral(detector.end)}[ -~]*'''\n` +
    `keywords = [${keywords([detector.begin])}]\n`
  )
}

function heading({ id, vendor }: Detector): string {
  return `[[rules]]\nid = "${id}"\ndescription = ${JSON.stringify(`${vendor}: ${id}`)}\n`
}

/** gitleaks compares keywords in lower case. */
function keywords(literals: readonly string[]): string {
  const lowered = new Set(literals.map((literal) => literal.toLowerCase()))
  return [...lowered].map((literal) => JSON.stringify(literal)).join(', ')
}

function quoteLiteral(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
