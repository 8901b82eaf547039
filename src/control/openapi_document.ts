import type { Role } from './roles_of.ts'

/** One operation of the API: what it is for, who may, what it takes. */
interface Operation {
  readonly about: string
  /** Any of these; empty: whoever is signed in. Null: anybody. */
  readonly roles: readonly Role[] | null
  /** Names of query parameters. */
  readonly query?: readonly string[]
  /** Members of the JSON body, with their types; those with `?` may be left out. */
  readonly body?: Readonly<
    Record<string, 'string' | 'number' | 'string?' | 'number?' | 'boolean?' | 'strings' | 'object'>
  >
  /** Default 200. */
  readonly status?: number
}

const approvers: readonly Role[] = ['approver', 'admin']
const auditors: readonly Role[] = ['auditor', 'admin']
const admins: readonly Role[] = ['admin']

/** Every operation, by method and path. A test compares it with the routes. */
const operations: Readonly<Record<string, Operation>> = {
  'GET /api/v1/openapi.json': { about: 'This document', roles: null },
  'GET /api/v1/me': { about: 'Who asks, and their roles', roles: [] },
  'GET /api/v1/approvals': { about: 'Held requests', roles: approvers, query: ['state', 'limit'] },
  'GET /api/v1/approvals/{id}': { about: 'One held request with its masked body', roles: approvers },
  'POST /api/v1/approvals/{id}/decision': {
    about: 'Approve or deny a held request',
    roles: approvers,
    body: { decision: 'string', reason: 'string?', preview_digest: 'string', grant_ms: 'number?' },
  },
  'GET /api/v1/grants': { about: 'Grants in force', roles: approvers },
  'POST /api/v1/grants/{id}/revoke': { about: 'Take a grant back', roles: approvers, body: {} },
  'GET /api/v1/exchanges': {
    about: 'Recorded exchanges, newest first',
    roles: auditors,
    query: [
      ...['limit', 'before', 'from', 'to', 'person', 'subject', 'connection', 'model'],
      ...['detector', 'status', 'outcome', 'text', 'bodies'],
    ],
  },
  'GET /api/v1/exchanges/{id}': { about: 'One exchange with its masked bodies', roles: auditors },
  'GET /api/v1/exchanges/{id}/frames': { about: 'Its masked frames with their times', roles: auditors },
  'GET /api/v1/exchanges/{id}/evidence': { about: 'A proof that it is in the log', roles: auditors },
  'GET /api/v1/findings': {
    about: 'What was found, counted',
    roles: auditors,
    query: ['from', 'to', 'detector', 'subject', 'connection'],
  },
  'GET /api/v1/fingerprints/{id}': { about: 'Where one secret was seen', roles: auditors },
  'POST /api/v1/sql': {
    about: 'Ask the audit in SQL; nothing can be written',
    roles: auditors,
    body: { query: 'string', format: 'string?' },
  },
  'GET /api/v1/audit/verify': { about: 'What the last verification said', roles: auditors },
  'POST /api/v1/audit/verify': { about: 'Verify the audit', roles: auditors },
  'GET /api/v1/audit/erasure': { about: 'What the last erasure took away', roles: admins },
  'POST /api/v1/audit/erasure': {
    about: 'Erase the masked bodies recorded of a person, before a time in ms since the epoch or now',
    roles: admins,
    body: { person: 'string', before: 'number?', reason: 'string' },
    status: 202,
  },
  'GET /api/v1/audit/keys': { about: 'Public keys of the signed tree heads', roles: auditors },
  'GET /api/v1/detectors': { about: 'What can be found', roles: auditors },
  'POST /api/v1/scan': {
    about: 'Scan a text',
    roles: auditors,
    body: { text: 'string', content_type: 'string?' },
  },
  'GET /api/v1/connections': { about: 'Connections, without their credentials', roles: auditors },
  'POST /api/v1/connections': {
    about: 'Add a connection; secrets by reference only',
    roles: admins,
    body: { name: 'string', settings: 'object' },
    status: 201,
  },
  'GET /api/v1/connections/{id}': { about: 'The settings of an added connection, by name', roles: admins },
  'PUT /api/v1/connections/{id}': {
    about: 'Change an added connection, if it is still as revision names it',
    roles: admins,
    body: { settings: 'object', revision: 'number' },
  },
  'DELETE /api/v1/connections/{id}': {
    about: 'Remove an added connection, if it is still as revision names it',
    roles: admins,
    query: ['revision'],
    status: 204,
  },
  'POST /api/v1/connections/{id}/test': {
    about: "Ask the connection's service for a path, with the gateway's credential; only the status is told",
    roles: admins,
    body: { path: 'string?' },
  },
  'POST /api/v1/policy/check': {
    about: 'Whether somebody would be let through, and why',
    roles: auditors,
    body: {
      connection: 'string',
      groups: 'strings',
      method: 'string',
      path: 'string',
      model: 'string?',
      text: 'string?',
    },
  },
  'GET /api/v1/system': { about: 'How the gateway is', roles: auditors },
  'GET /api/v1/api-keys': { about: 'API keys, without the keys', roles: admins },
  'POST /api/v1/api-keys': {
    about: 'Make an API key; the answer is the only one that holds it',
    roles: admins,
    body: { name: 'string', groups: 'strings', expires_at: 'number?' },
    status: 201,
  },
  'DELETE /api/v1/api-keys/{id}': { about: 'Revoke an API key', roles: admins },
}

/** The API as OpenAPI 3.1. */
export function openapiDocument(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [key, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = key.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(path, operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice control API',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An access token of a configured issuer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'sluice_session',
          description: 'Set by signing in at /login',
        },
      },
      schemas: { Problem: problem_schema },
    },
  }
}

/** RFC 9457, with a stable code. */
const problem_schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'source'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    source: { enum: ['client', 'gateway', 'upstream'] },
  },
}

function describe(path: string, { about, roles, query = [], body, status = 200 }: Operation): object {
  const problem = { $ref: '#/components/schemas/Problem' }
  const parameters = [
    ...(path.includes('{id}')
      ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
      : []),
    ...query.map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
  ]
  return {
    summary: about,
    ...(roles !== null && { security: [{ token: [] }, { session: [] }], 'x-roles': roles }),
    ...(roles === null && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { content: { 'application/json': { schema: bodySchema(body) } } },
    }),
    responses: {
      [status]: { description: 'done' },
      default: { description: 'a problem', content: { 'application/problem+json': { schema: problem } } },
    },
  }
}

function bodySchema(members: NonNullable<Operation['body']>): object {
  const properties = Object.entries(members).map(([name, type]) => [
    name,
    type === 'strings' ? { type: 'array', items: { type: 'string' } } : { type: type.replace('?', '') },
  ])
  const required = Object.keys(members).filter((name) => !members[name]!.endsWith('?'))
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
  }
}
