import { useEffect, useState } from 'preact/hooks'

/** Where in the dashboard somebody is: `#/sessions/<id>/<tab>?person=…`. */
export interface Route {
  readonly page: string
  /** What is opened in the page, empty for nothing. */
  readonly id: string
  readonly tab: string
  readonly query: URLSearchParams
}

/** Reads a location's hash. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [page = '', id = '', tab = ''] = path.split('/').map(decoded)
  return { page, id, tab, query: new URLSearchParams(query) }
}

/** The hash for a place. Empty values are left out of the query. */
export function hashOf(
  page: string,
  { id = '', tab = '', query = {} }: { id?: string; tab?: string; query?: Readonly<Record<string, string>> },
): string {
  const path = [page, id, tab].filter((part) => part !== '').map(encodeURIComponent)
  const given = Object.entries(query).filter(([, value]) => value !== '')
  return `#/${path.join('/')}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`
}

/** The route, kept up to date. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash))
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
