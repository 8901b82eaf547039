import { STATUS_CODES } from 'node:http'

const lines = new Map<number, string>()
for (const [code, phrase] of Object.entries(STATUS_CODES)) lines.set(Number(code), `${code} ${phrase}`)

/** `200 OK`; a code without a registered phrase stands alone, with the space that RFC 9112 section 4 asks for. */
export function statusLine(status: number): string {
  return lines.get(status) ?? `${status} `
}
