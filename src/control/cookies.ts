/** The first value of a cookie in a `Cookie` header, or null (RFC 6265 section 5.4). */
export function cookieValue(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return null
}

export interface CookieOptions {
  readonly path: string
  /** 0 removes it. */
  readonly max_age_s: number
  readonly secure: boolean
}

/** A `Set-Cookie` value that scripts cannot read and other sites' forms do not send. The value must be a cookie-octet. */
export function setCookie(name: string, value: string, { path, max_age_s, secure }: CookieOptions): string {
  const attributes = `Path=${path}; Max-Age=${max_age_s}; HttpOnly; SameSite=Lax`
  return `${name}=${value}; ${attributes}${secure ? '; Secure' : ''}`
}
