/** A page that was reached. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly text: string
}

/** As much of a browser as a sign-in needs: follows redirects, keeps each origin's cookies, posts forms. */
export class CookieBrowser {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** `name=value; …` as sent to this origin. Cookies do not know ports; origins on one host are told apart all the same. */
  cookie(origin: string): string {
    return [...(this.#cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Opens an address and follows redirects until a page comes, or until an address that `stop` says not to fetch. */
  async open(
    start: URL | string,
    form?: Record<string, string>,
    stop?: (url: URL) => boolean,
  ): Promise<Page> {
    let url = new URL(start)
    let body = form && new URLSearchParams(form).toString()
    for (let step = 0; step < 15; step++) {
      if (stop?.(url)) return { url, status: 0, text: '' }
      const headers: Record<string, string> = { cookie: this.cookie(url.origin) }
      if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
      const init: RequestInit = { headers, redirect: 'manual', method: body === undefined ? 'GET' : 'POST' }
      const response = await fetch(url, body === undefined ? init : { ...init, body })
      this.#keep(url.origin, response.headers.getSetCookie())
      const location = response.headers.get('location')
      const text = await response.text()
      if (location === null) return { url, status: response.status, text }
      url = new URL(location, url)
      body = undefined
    }
    throw new Error('too many redirects')
  }

  #keep(origin: string, lines: readonly string[]): void {
    const cookies = this.#cookies.get(origin) ?? new Map<string, string>()
    this.#cookies.set(origin, cookies)
    for (const line of lines) {
      const pair = line.split(';')[0] ?? ''
      const at = pair.indexOf('=')
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
      if (value === '' || /max-age=0\b/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
  }
}

/** Value of a form's hidden field. */
export function hiddenField(html: string, name: string): string {
  return new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(html)?.[1] ?? ''
}
