import type { TokenDetector } from '../src/scanner/detector.ts'

/** Counts the places where secrets are, in text that holds no secret cut at its ends. */
export type CountSecrets = (text: string) => number

interface Rule {
  readonly regex: RegExp
  /** In lower case; one of them stands in every match. */
  readonly keywords: readonly string[]
}

/** One regular expression a detector, as a scanner without an engine of its own would do it. */
function rulesOf(detectors: readonly TokenDetector[]): Rule[] {
  return detectors.map(({ pattern, left, right, anchors }) => {
    const before = left === 'any' ? '' : '(?<![0-9A-Za-z_])'
    const behind = right === 'any' ? '' : '(?![0-9A-Za-z_])'
    const keywords = [...new Set(anchors.map((anchor) => anchor.toLowerCase()))]
    return { regex: new RegExp(`${before}(?:${pattern})${behind}`, 'g'), keywords }
  })
}

/** Every regex over all of the text. */
export function everyRegex(detectors: readonly TokenDetector[]): CountSecrets {
  const rules = rulesOf(detectors)
  return (text) => countMerged(rules.flatMap(({ regex }) => spansOf(regex, text)))
}

/** As gitleaks does it: only those regexes run of which a keyword stands in the text. */
export function regexBehindKeywords(detectors: readonly TokenDetector[]): CountSecrets {
  const rules = rulesOf(detectors)
  return (text) => {
    const lowered = text.toLowerCase()
    const wanted = rules.filter(({ keywords }) => keywords.some((keyword) => lowered.includes(keyword)))
    return countMerged(wanted.flatMap(({ regex }) => spansOf(regex, text)))
  }
}

function spansOf(regex: RegExp, text: string): [number, number][] {
  return Array.from(text.matchAll(regex), (match) => [match.index, match.index + match[0].length])
}

/** Overlapping spans count once, as they would be masked together. */
function countMerged(spans: [number, number][]): number {
  spans.sort((a, b) => a[0] - b[0])
  let count = 0
  let end = -1
  for (const [from, to] of spans) {
    if (from >= end) count++
    end = Math.max(end, to)
  }
  return count
}
