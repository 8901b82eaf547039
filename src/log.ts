import { pino } from 'pino'

/** What may be logged beside the message. Only plain values: an object could carry a body or a credential along. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The gateway's own log. Never given bodies, headers, tokens or resolved references. */
export interface Log {
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** `json`: one object a line; `text`: for people; `auto` (default): text when the output is a terminal. */
export type LogFormat = 'auto' | 'json' | 'text'

export interface LogOptions {
  readonly format?: LogFormat
  /** Default: standard output. */
  readonly output?: { write(line: string): unknown; readonly isTTY?: boolean }
}

/** Names that hold a credential by convention; a value logged under one is replaced, whoever wrote it. */
const credential_name = /secret|token|password|authorization|cookie|credential|api_?key/i

/** Longest value of one field, in characters. */
const field_characters_max = 2_000

/** Creates a log that writes at once, so that no line is lost when the process ends. */
export function createLog(options: LogOptions = {}): Log {
  const output = options.output ?? process.stdout
  const format = options.format ?? 'auto'
  const text = format === 'text' || (format === 'auto' && output.isTTY === true)
  const destination = { write: (line: string) => void output.write(text ? humanReadable(line) : line) }
  const logger = pino(
    {
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return {
    info: (fields, message) => logger.info(plainFields(fields), message),
    warn: (fields, message) => logger.warn(plainFields(fields), message),
    error: (fields, message) => logger.error(plainFields(fields), message),
  }
}

/** A log that writes nothing. */
export const silent_log: Log = { info() {}, warn() {}, error() {} }

/** Keeps plain values only, cuts long ones, and replaces those whose name says that they are a credential. */
function plainFields(fields: LogFields): LogFields {
  const plain: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (credential_name.test(name) && typeof value === 'string') plain[name] = '[left out]'
    else if (typeof value === 'string') plain[name] = value.slice(0, field_characters_max)
    else if (typeof value === 'object' && value !== null) plain[name] = '[not a plain value]'
    else plain[name] = value
  }
  return plain
}

/** `12:01:02.345 warn  message  field=value` for one JSON line. */
function humanReadable(line: string): string {
  const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>
  const clock = String(time).slice(11, 23)
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
  return `${[clock, String(level).padEnd(5), String(message ?? ''), ...pairs].join(' ')}\n`
}

/** A value without quotes where none are needed; control characters escaped. */
function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@%+,-]+$/.test(value) ? value : JSON.stringify(value)
}
