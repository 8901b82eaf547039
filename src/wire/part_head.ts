/** The boundary parameter of a multipart type (RFC 2046 section 5.1.1). */
export type Boundary = { readonly boundary: string } | { readonly problem: string }

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g

/** @param content_type of a body or part whose type begins with `multipart/` */
export function boundaryOf(content_type: string): Boundary {
  const found: string[] = []
  for (const [, name = '', quoted, plain = ''] of content_type.matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'boundary') continue
    found.push(quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'))
  }
  const [boundary = '', another] = found
  if (another !== undefined) return { problem: 'multipart with two boundaries' }
  if (boundary === '') return { problem: 'multipart without a boundary' }
  return boundary.length > 70 ? { problem: 'multipart with a boundary over 70 characters' } : { boundary }
}

/** What a part's headers say of it (RFC 7578 section 4). */
export interface PartHead {
  /** Empty when there is none, or when there are several, which is nothing to go by. */
  readonly content_type: string
  /** Of the form field; empty when there is none. */
  readonly name: string
  /** Whether the part's bytes stand for themselves. */
  readonly transfer_encoding: string
}

const TRANSFER_PLAIN = /^(?:7bit|8bit|binary)$/i

/** @param head header lines of a part, with CRLF or LF */
export function readPartHead(head: string): PartHead {
  let content_type = ''
  let name = ''
  let transfer_encoding = ''
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon === -1) continue
    const value = line.slice(colon + 1).trim()
    switch (line.slice(0, colon).trim().toLowerCase()) {
      case 'content-type':
        content_type = content_type === '' ? value : 'text/plain'
        break
      case 'content-disposition':
        for (const [, key = '', quoted, plain = ''] of value.matchAll(PARAMETER)) {
          if (key.toLowerCase() === 'name') name = quoted ?? plain
        }
        break
      case 'content-transfer-encoding':
        if (!TRANSFER_PLAIN.test(value)) transfer_encoding = value.toLowerCase()
        break
    }
  }
  return { content_type, name, transfer_encoding }
}
