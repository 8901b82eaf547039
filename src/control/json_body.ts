import { Problem } from '../problem/problem.ts'
import type { HttpRequest } from './http_message.ts'

/**
 * The members of a JSON object that was sent as `application/json`. That type also keeps other sites' forms out.
 * @throws Problem `bad_request`
 */
export function jsonBody(request: HttpRequest): Record<string, unknown> {
  const type = request.header('content-type').split(';')[0]!.trim().toLowerCase()
  if (type !== 'application/json')
    throw new Problem('bad_request', 'send the body as content-type application/json')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.body))
  } catch {
    throw new Problem('bad_request', 'the body is not valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('bad_request', 'the body must be a JSON object')
  }
  return value as Record<string, unknown>
}

/** A member that must be a whole number from 0. @throws Problem `bad_request` */
export function countMember(
  body: Record<string, unknown>,
  name: string,
  most: number,
  otherwise: number,
): number {
  const value = body[name] ?? otherwise
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new Problem('bad_request', `"${name}" must be a whole number from 0 to ${most}`)
}

/** A member that must be a list of texts. @throws Problem `bad_request` */
export function textListMember(
  body: Record<string, unknown>,
  name: string,
  items_max: number,
  characters_max: number,
): readonly string[] {
  const value = body[name] ?? []
  const fits = (item: unknown) => typeof item === 'string' && item.length <= characters_max
  if (Array.isArray(value) && value.length <= items_max && value.every(fits)) return value
  throw new Problem('bad_request', `"${name}" must be a list of at most ${items_max} texts`)
}

/** A member that must be text. @throws Problem `bad_request` */
export function textMember(
  body: Record<string, unknown>,
  name: string,
  characters_max: number,
  otherwise?: string,
): string {
  const value = body[name] ?? otherwise
  if (typeof value === 'string' && value.length <= characters_max) return value
  throw new Problem('bad_request', `"${name}" must be text of at most ${characters_max} characters`)
}
