import { Problem } from '../problem/problem.ts'
import { authenticatePerson, requireRole } from './authenticate_person.ts'
import type { ControlContext } from './control_context.ts'
import type { HttpAnswer, HttpRequest } from './http_message.ts'
import type { Person } from './person.ts'
import { refuseCrossSite } from './refuse_cross_site.ts'

/** Answers one route. `id` is what the path's group matched, empty when it has none. */
export type Handler = (
  context: ControlContext,
  request: HttpRequest,
  id: string,
) => Promise<HttpAnswer> | HttpAnswer

/** A method and path of the control listener. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** One group at most: the id. */
  readonly path: RegExp
  readonly handle: Handler
}

/** Who asks, with the roles they need; a session's cookie is not enough when another site may have caused the request. */
export async function askedBy(
  context: ControlContext,
  request: HttpRequest,
  ...roles: Person['roles']
): Promise<Person> {
  const found = await authenticatePerson(request, context.credentials)
  if (found.session && request.method !== 'GET' && request.method !== 'HEAD')
    refuseCrossSite(request, context.own_origin())
  if (roles.length > 0) requireRole(found, ...roles)
  return found
}

/** The `limit` of a query, at most and by default `most`. @throws Problem `bad_request` */
export function limitOf(query: URLSearchParams, most: number): number {
  const text = query.get('limit')
  if (text === null) return most
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1) throw new Problem('bad_request', `limit must be a number from 1 to ${most}`)
  return Math.min(limit, most)
}

/** A member of a query as text, empty when absent. @throws Problem `bad_request` when it is too long */
export function textOf(query: URLSearchParams, name: string, characters_max = 500): string {
  const text = query.get(name) ?? ''
  if (text.length <= characters_max) return text
  throw new Problem('bad_request', `"${name}" must be at most ${characters_max} characters long`)
}
