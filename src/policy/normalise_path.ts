/** What a path may hold beside unreserved characters and escapes: `sub-delims`, `:`, `@` and `/` of RFC 3986 section 3.3. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/
/** Escapes that another decoder could turn into a separator, a dot or the end of a string; also when escaped twice. */
const RISKY_ESCAPE = /%(?:25)*(?:2e|2f|5c|00)/i
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/
const ESCAPE = /%[0-9A-Fa-f]{2}/g
const UNRESERVED = /[A-Za-z0-9\-._~]/
/** A segment `.` or `..`, also with path parameters behind it, which some servers cut off first. */
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:;[^/]*)?(?:\/|$)/

/**
 * The one spelling of an upstream path that policy matches and upstream receives: escapes of unreserved characters are
 * decoded and the other escapes are in upper case (RFC 3986 section 6.2.2).
 * @param raw path as received, beginning with `/`, without the query
 * @returns null for a path that two readers could understand differently: dot segments, empty segments, backslashes, NUL,
 *   also escaped or escaped twice; broken escapes; characters that no path may hold
 */
export function normalisePath(raw: string): string | null {
  if (!raw.startsWith('/') || !PLAIN_PATH.test(raw) || raw.includes('//')) return null
  if (!raw.includes('%')) return DOT_SEGMENT.test(raw) ? null : raw
  if (BROKEN_ESCAPE.test(raw) || RISKY_ESCAPE.test(raw)) return null
  const path = raw.replace(ESCAPE, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return UNRESERVED.test(character) ? character : escaped.toUpperCase()
  })
  return DOT_SEGMENT.test(path) ? null : path
}
