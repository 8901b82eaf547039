/**
 * Whether `text` matches `pattern` as a whole. Linear in `pattern.length * text.length`; no backtracking.
 *
 * `*` matches any run of characters without `separator`, `**` any run at all. With an empty `separator`, as for model
 * names, both mean the same. Every other character stands for itself, in its own case.
 */
export function matchGlob(pattern: string, text: string, separator: string): boolean {
  const star = pattern.indexOf('*')
  if (star === -1) return pattern === text
  if (!text.startsWith(pattern.slice(0, star))) return false
  if (star === pattern.length - 2 && pattern[star + 1] === '*') return true
  if (star === pattern.length - 1) return separator === '' || text.indexOf(separator, star) === -1
  return simulate(parse(pattern, separator), text, separator)
}

/** One step of a pattern: a literal character, or a wildcard that may or may not cross the separator. */
type Step = { readonly literal: string } | { readonly crosses: boolean }

function parse(pattern: string, separator: string): Step[] {
  const steps: Step[] = []
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!
    if (character !== '*') {
      steps.push({ literal: character })
      continue
    }
    const double = pattern[i + 1] === '*'
    if (double) i++
    steps.push({ crosses: double || separator === '' })
  }
  return steps
}

/** Runs all ways of reading the pattern at once: `active[i]` means the steps before `i` match what was read so far. */
function simulate(steps: readonly Step[], text: string, separator: string): boolean {
  let active = new Uint8Array(steps.length + 1)
  let next = new Uint8Array(steps.length + 1)
  active[0] = 1
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    next.fill(0)
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      if (active[i] === 0) continue
      if ('literal' in step) {
        if (step.literal === character) next[i + 1] = 1
      } else {
        active[i + 1] = 1 // the wildcard may stand for nothing
        if (step.crosses || character !== separator) next[i] = 1
      }
    }
    const swap = active
    active = next
    next = swap
  }
  for (let i = 0; i < steps.length; i++) if (active[i] === 1 && 'crosses' in steps[i]!) active[i + 1] = 1
  return active[steps.length] === 1
}
