import { compileTree, type PatternDfa } from './compile_pattern.ts'
import type { RuleDetector } from './detector.ts'
import { PatternError, type PatternNode } from './parse_pattern.ts'
import { RuleError } from './rule_detector.ts'
import type { TableWriter } from './table_writer.ts'

const flag_left_word = 1
const flag_right_word = 2
/** States of one part, and of what is allowed, which may be lists of a thousand words. */
const states_max = 4096
const allow_states_max = 20_000

interface CompiledRule {
  readonly prefix: PatternDfa | null
  readonly secret: PatternDfa
  readonly suffix: PatternDfa | null
  readonly allow_secret: PatternDfa | null
  readonly allow_match: PatternDfa | null
}

/** Compiled rules, so that a scanner made anew costs little. */
const compiled_rules = new WeakMap<RuleDetector, CompiledRule>()

/**
 * Compiles the parts of a rule.
 * @throws RuleError when one is over the bound of its states, which are all that it can cost
 */
export function compileRule(rule: RuleDetector): CompiledRule {
  const known = compiled_rules.get(rule)
  if (known) return known
  const part = (tree: PatternNode | null, max: number) =>
    tree && compileTree(tree, rule.regex, { states_max: max })
  try {
    const compiled = {
      prefix: part(rule.prefix, states_max),
      secret: compileTree(rule.secret, rule.regex, { states_max }),
      suffix: part(rule.suffix, states_max),
      allow_secret: part(rule.allow_secret, allow_states_max),
      allow_match: part(rule.allow_match, allow_states_max),
    }
    compiled_rules.set(rule, compiled)
    return compiled
  } catch (error) {
    if (error instanceof PatternError) throw new RuleError(rule.id, error.reason)
    throw error
  }
}

/** Writes a rule's tables, as assembly/rules.ts reads them. @returns where its record is */
export function writeRule(
  out: TableWriter,
  rule: RuleDetector,
  index: number,
  label_at: number,
  label_bytes: number,
): number {
  const { prefix, secret, suffix, allow_secret, allow_match } = compileRule(rule)
  const parts = [prefix, suffix, allow_secret, allow_match].flatMap((dfa) => [0, ...dfaWords(out, dfa)])
  const more = out.appendWords([...parts, rule.end_does ? 1 : 0])
  const flags = (rule.left === 'word' ? flag_left_word : 0) | (rule.right === 'word' ? flag_right_word : 0)
  const entropy = new Uint32Array(Float32Array.of(rule.entropy_min).buffer)[0]!
  const own = dfaWords(out, secret)
  return out.appendWords([index, ...own, flags, 0, entropy, label_at, label_bytes, 0, more, 0, 0, 0, 0])
}

/** Address of classes, transitions and accepting states, and the number of classes. */
function dfaWords(out: TableWriter, dfa: PatternDfa | null): number[] {
  if (!dfa) return [0, 0, 0, 0]
  const { buffer, byteOffset, byteLength } = dfa.transitions
  return [
    out.append(dfa.classes),
    out.append(new Uint8Array(buffer, byteOffset, byteLength)),
    out.append(dfa.accepting),
    dfa.class_count,
  ]
}

/** The bytes of a rule's anchors. */
export function ruleAnchors(rule: RuleDetector): Uint8Array[] {
  return rule.anchors.map((anchor) => Uint8Array.from(anchor, (character) => character.charCodeAt(0)))
}
