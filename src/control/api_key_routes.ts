import { limits } from '../config/limits.ts'
import type { ApiKeyInfo, ApiKeyRegister } from '../identity/api_key_register.ts'
import { Problem } from '../problem/problem.ts'
import type { ControlContext } from './control_context.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer } from './http_message.ts'
import { jsonBody, textMember } from './json_body.ts'
import { askedBy, type Route } from './route.ts'

/** API keys of services: made, listed and revoked by administrators. */
export const api_key_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/api-keys$/, handle: listKeys },
  { method: 'POST', path: /^\/api\/v1\/api-keys$/, handle: createKey },
  { method: 'DELETE', path: /^\/api\/v1\/api-keys\/([^/]+)$/, handle: revokeKey },
]

/** Answer to `GET /api/v1/api-keys`. */
export interface ApiKeyList {
  readonly api_keys: readonly ApiKeyInfo[]
}

/** Answer to `POST /api/v1/api-keys`: the only time that the key itself is told. */
export type CreatedApiKey = ApiKeyInfo & { readonly key: string }

async function listKeys(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'admin')
  return jsonAnswer({ api_keys: registerOf(context).list() } satisfies ApiKeyList)
}

async function createKey(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const body = jsonBody(request)
  const name = textMember(body, 'name', limits.api_key_name_chars_max).trim()
  if (name === '') throw new Problem('bad_request', '"name" must say what the key is for')
  const wanted = {
    name,
    groups: groupsMember(body.groups),
    expires_at: expiryMember(body.expires_at),
    created_by: principal.subject,
  }
  const made = await registerOf(context).create(wanted)
  if (made === null)
    throw new Problem('overloaded', `there are ${limits.api_keys_max} keys already; remove some`)
  const { key, info } = made
  const { groups, expires_at } = info
  context.audit.appendAdminChange({
    action: 'api_key.create',
    target: info.id,
    principal,
    gateway: context.config.gateway,
    detail: { name, groups, expires_at },
  })
  context.log.info({ id: info.id, by: principal.subject }, 'an API key was made')
  return jsonAnswer({ ...info, key } satisfies CreatedApiKey, 201)
}

async function revokeKey(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const info = await registerOf(context).revoke(id, principal.subject)
  if (info === null) throw new Problem('not_found', 'there is no API key with this id')
  context.audit.appendAdminChange({
    action: 'api_key.revoke',
    target: id,
    principal,
    gateway: context.config.gateway,
    detail: { name: info.name },
  })
  context.log.info({ id, by: principal.subject }, 'an API key was revoked')
  return jsonAnswer(info)
}

function registerOf({ api_keys }: ControlContext): ApiKeyRegister {
  if (api_keys) return api_keys
  throw new Problem('not_found', 'this control plane keeps no API keys')
}

function groupsMember(value: unknown): string[] {
  const groups = Array.isArray(value) ? value : []
  const right = groups.every((group) => typeof group === 'string' && group !== '' && group.length <= 200)
  if (groups.length > 0 && groups.length <= limits.api_key_groups_max && right) return [...new Set(groups)]
  throw new Problem(
    'bad_request',
    `"groups" must be a list of 1 to ${limits.api_key_groups_max} names of groups`,
  )
}

function expiryMember(value: unknown): number {
  const now = Date.now()
  if (value === undefined) return now + limits.api_key_expires_ms_default
  if (typeof value === 'number' && value > now && value <= now + limits.api_key_expires_ms_max)
    return Math.floor(value)
  throw new Problem(
    'bad_request',
    '"expires_at" must be a time in ms since the epoch, in the future, at most 10 years ahead',
  )
}
