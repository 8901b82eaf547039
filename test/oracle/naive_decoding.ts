// What texts hold in base64 or hexadecimal digits, written for being obviously right. In `strict` mode.
import type { Match } from './naive_scanner.ts'

/** A run longer than this is read in pieces, a new one every so many characters; each sees some of what stands before it. */
const piece_chars = 1024
const step_chars = 512
const context_chars = 52
/** Lines of so many characters, a multiple of four, with so many bytes between them at most, are one run. */
const line_chars = { min: 60, max: 128 } as const
const gap_bytes_max = 8

type Scan = (text: string, floor: number) => readonly Match[]

interface Coding {
  readonly digits: RegExp
  readonly group: { readonly chars: number; readonly bytes: number }
  readonly decode: (digits: string) => string
}

const base64: Coding = {
  digits: /[A-Za-z0-9+/_-]+/y,
  group: { chars: 4, bytes: 3 },
  decode: (digits) => Buffer.from(digits, 'base64').toString('latin1'),
}
const hex: Coding = {
  digits: /[0-9A-Fa-f]+/y,
  group: { chars: 2, bytes: 1 },
  decode: (digits) => Buffer.from(digits, 'hex').toString('latin1'),
}

/** Matches for the encoded runs of text[from, to) in which `scan` finds something. */
export function findEncoded(text: string, from: number, to: number, scan: Scan, depth = 1): Match[] {
  const found: Match[] = []
  const part = text.slice(0, to)
  let behind = from
  for (const run of part.slice(from).matchAll(/[A-Za-z0-9+/_-]{16,}/g)) {
    const at = from + run.index
    const start = part[at - 1] === '\\' ? at + 1 : at
    const coding = codingOf(part.slice(start, at + run[0].length))
    if (coding === undefined || start < behind || endsWithMask(part.slice(0, start))) continue
    behind = readRun(text, part, start, coding, scan, depth, found)
  }
  return found
}

function codingOf(run: string): Coding | undefined {
  if (run.length >= 24 && /^[\t\n\r -~]*$/.test(base64.decode(run.slice(0, 24)))) return base64
  if (/^[0-9A-Fa-f]{32}/.test(run) && /^[\t\n\r -~]*$/.test(hex.decode(run.slice(0, 32)))) return hex
  return undefined
}

/** Adds what is found in the run that begins at `start`. @returns where the next one may begin */
function readRun(
  text: string,
  part: string,
  start: number,
  coding: Coding,
  scan: Scan,
  depth: number,
  found: Match[],
): number {
  const { places, line, end } = joinLines(part, start, coding)
  const piece = line === 0 ? piece_chars : piece_chars - (piece_chars % line)
  const step = line === 0 ? step_chars : step_chars - (step_chars % line)
  const digits = places.map((place) => part[place]).join('')
  for (let k = 0; ; k += step) {
    const last = k + piece >= digits.length
    if (last && /^(?:\[REDACTED:|\[SECRET:|\*{8})/.test(text.slice(end, end + 10)))
      return lineEnd(part, places[k]!)
    const before = k === 0 ? 0 : context_chars
    const decoded = coding.decode(digits.slice(k - before, k + piece))
    if (decoded.replace(/[\t\n\r -~\x80-\xff]/g, '').length * 16 > decoded.length)
      return lineEnd(part, places[k]!)
    const bytes = (chars: number) => (chars / coding.group.chars) * coding.group.bytes
    const floor = bytes(before)
    const until = last ? decoded.length : floor + bytes(step)
    const matches = scan(decoded, floor).filter((match) => match.start < until)
    const inner = depth < 2 ? findEncoded(decoded, floor, decoded.length, scan, depth + 1) : []
    const all = [...matches, ...inner.filter((match) => match.start < until)]
    const first = all.toSorted((a, b) => a.start - b.start)[0]
    if (k === 0 && last) {
      if (first) found.push({ ...first, start, end, swallowed: false })
      return end
    }
    for (const match of all) {
      const group = (byte: number) => Math.floor(byte / coding.group.bytes) * coding.group.chars
      const from = places[k + group(match.start - floor)]!
      const to = k + group(match.end - floor + coding.group.bytes - 1)
      if (match.end === decoded.length && !last) {
        found.push({ ...match, start: from, end, swallowed: false })
      } else
        found.push({
          ...match,
          start: from,
          end: to >= places.length ? end : places[to - 1]! + 1,
          swallowed: false,
        })
    }
    if (last || all.some((match) => match.end === decoded.length)) return end
  }
}

function lineEnd(part: string, at: number): number {
  return at + /^[A-Za-z0-9+/_-]*/.exec(part.slice(at))![0].length
}

/** The places of a run's characters over all its lines, and where it ends, padding included. */
function joinLines(
  part: string,
  start: number,
  { digits }: Coding,
): { places: number[]; line: number; end: number } {
  const places: number[] = []
  let line = 0
  let gap = ''
  let at = start
  for (;;) {
    digits.lastIndex = at
    const length = digits.exec(part)![0].length
    for (let i = 0; i < length; i++) places.push(at + i)
    at += length
    const padding = digits.source.startsWith('[A') ? /^={0,2}/.exec(part.slice(at))![0].length : 0
    const lines = start === 0 || !/[A-Za-z0-9+/_-]/.test(part[start - 1]!)
    if (line === 0 && lines && length % 4 === 0 && length >= line_chars.min && length <= line_chars.max)
      line = length
    const next = new RegExp(`^(\\r?\\n[ \\t]*)(${digits.source})(.?)`, 's').exec(part.slice(at))
    if (padding > 0 || length !== line || !next) return { places, line, end: at + padding }
    const follows = next[2]!.length === line || (next[2]!.length < line && /^[\n\r='"`<]?$/.test(next[3]!))
    if (!follows || next[1]!.length > gap_bytes_max || (gap !== '' && next[1]!.length !== gap.length))
      return { places, line, end: at }
    gap = next[1]!
    at += gap.length
  }
}

function endsWithMask(text: string): boolean {
  return /(?:\[REDACTED:[a-z0-9-]*\]|\[SECRET:[a-z0-9-]*(?::[a-z0-9-]{6})?\]|\*{8})$/.test(text.slice(-64))
}
