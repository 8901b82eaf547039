/**
 * JSON with the keys of every mapping in code-unit order and undefined ones left out, so that equal data has equal text.
 * Takes plain data only.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, below]) => below !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, below]) => `${JSON.stringify(key)}:${canonicalJson(below)}`).join(',')}}`
}
