/** `approvals/apr_x` as a key of NATS: a token for the collection, and one for the id with everything odd as `=XX`. */
export function storedKey(key: string): string {
  const slash = key.indexOf('/')
  const id = key
    .slice(slash + 1)
    .replace(/[^A-Za-z0-9_-]/g, (one) => `=${one.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
  return `${key.slice(0, slash)}.${id}`
}

/** The key that a key of NATS stands for. */
export function readableKey(stored: string): string {
  const dot = stored.indexOf('.')
  const id = stored
    .slice(dot + 1)
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return `${stored.slice(0, dot)}/${id}`
}
