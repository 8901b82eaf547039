import { z } from 'zod'
import { listen_form, parseListenAddress } from './addresses.ts'
import { duration_form, formatDuration, parseDuration } from './durations.ts'
import { formatSize, parseSize, size_form } from './sizes.ts'

/** Message for a value of the wrong type: tells a missing and an empty one apart. */
export function says(expected: string) {
  return (issue: { input?: unknown }) => {
    if (issue.input === undefined) return `is missing; write ${expected}`
    if (issue.input === null) return `is empty; write ${expected}`
    return `must be ${expected}`
  }
}

/** Text that `problem` finds nothing wrong with. */
export function text(expected: string, problem: (value: string) => string | null = () => null) {
  return z
    .string({ error: says(expected) })
    .check((context) => {
      const message = context.value.trim() === '' ? `is empty; write ${expected}` : problem(context.value)
      if (message !== null) context.issues.push({ code: 'custom', message, input: context.value })
    })
    .meta({ description: expected })
}

/** One of these words. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: says(`one of ${values.join(', ')}`) })
}

/** A non-empty list. */
export function list<Item extends z.ZodType>(item: Item, expected: string) {
  return z
    .array(item, { error: says(`a list of ${expected}`) })
    .min(1, { error: `must not be empty; list ${expected}` })
}

/** A mapping whose keys are all known. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const expected = `a mapping with the keys ${Object.keys(shape).join(', ')}`
  // Unknown keys are described by describe_issue.ts, which also knows what was probably meant.
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? says(expected)(issue) : undefined),
  })
}

/** A duration as text, in ms once parsed. */
export function duration(ms_min: number, ms_max: number) {
  const range = `from ${formatDuration(ms_min)} to ${formatDuration(ms_max)}`
  return z
    .string({ error: says(duration_form) })
    .meta({ pattern: '^\\d+(ms|s|m|h|d)$' })
    .transform((value, context) => {
      const ms = parseDuration(value)
      if (ms !== null && ms >= ms_min && ms <= ms_max) return ms
      context.addIssue(ms === null ? `must be ${duration_form}` : `must be ${range}`)
      return z.NEVER
    })
}

/** A size as text, in bytes once parsed. */
export function size(bytes_max: number) {
  return z
    .string({ error: says(size_form) })
    .meta({ pattern: '^\\d+ ?(B|KB|KiB|MB|MiB|GB|GiB)$' })
    .transform((value, context) => {
      const bytes = parseSize(value)
      if (bytes !== null && bytes <= bytes_max) return bytes
      context.addIssue(bytes === null ? `must be ${size_form}` : `must be at most ${formatSize(bytes_max)}`)
      return z.NEVER
    })
}

/** A whole number; also as text, because `${env:…}` yields text. */
export function count(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`
  return z.union([z.number(), z.string()], { error: says(expected) }).transform((value, context) => {
    const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max)
      return number
    context.addIssue(`must be ${expected}`)
    return z.NEVER
  })
}

/** A yes or no. */
export const flag = z.boolean({ error: says('true or false') })

/** An address to listen on. */
export const listen_address = z.string({ error: says(listen_form) }).transform((value, context) => {
  const address = parseListenAddress(value)
  if (address) return address
  context.addIssue(`must be ${listen_form}`)
  return z.NEVER
})
