import type { ConnectionChange, ConnectionRegister, Settings } from '../config/connection_register.ts'
import { limits } from '../config/limits.ts'
import type { AdminAction } from '../audit/admin_change.ts'
import { normalisePath } from '../policy/normalise_path.ts'
import type { Principal } from '../policy/principal.ts'
import { Problem } from '../problem/problem.ts'
import type { ConnectionDetail, ConnectionItem, ConnectionsList } from './api_shapes.ts'
import { connectionItem } from './connection_view.ts'
import type { ControlContext } from './control_context.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer } from './http_message.ts'
import { countMember, jsonBody, textMember } from './json_body.ts'
import { askedBy, type Route } from './route.ts'
import { tryConnection } from './try_connection.ts'

/** Connections: those of the file are shown, others are added, changed, removed and tried by administrators. */
export const connection_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/connections$/, handle: listConnections },
  { method: 'POST', path: /^\/api\/v1\/connections$/, handle: addConnection },
  { method: 'GET', path: /^\/api\/v1\/connections\/([^/]+)$/, handle: showConnection },
  { method: 'PUT', path: /^\/api\/v1\/connections\/([^/]+)$/, handle: changeConnection },
  { method: 'DELETE', path: /^\/api\/v1\/connections\/([^/]+)$/, handle: removeConnection },
  { method: 'POST', path: /^\/api\/v1\/connections\/([^/]+)\/test$/, handle: testConnection },
]

async function listConnections(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const { roles } = await askedBy(context, request, 'auditor', 'admin')
  const { connections: register, config } = context
  const added = register?.list() ?? []
  const by_name = new Map(added.map((one) => [one.name, one]))
  const inForce = Object.values(config.connections).map((connection): ConnectionItem => {
    const { revision, changed_at, changed_by, problems } = by_name.get(connection.name) ?? {}
    const of_file = revision === undefined || (problems !== undefined && problems.length > 0)
    if (of_file) return connectionItem(connection)
    return {
      ...connectionItem(connection),
      added: { revision, changed_at: changed_at!, changed_by: changed_by! },
    }
  })
  const broken = added
    .filter(({ problems }) => problems.length > 0)
    .map(({ name, revision, changed_at, changed_by, problems }) => ({
      name,
      revision,
      changed_at,
      changed_by,
      problems,
    }))
  const may_add = roles.includes('admin') && register !== null && config.api_connections !== null
  return jsonAnswer({ connections: inForce, broken, may_add } satisfies ConnectionsList)
}

async function showConnection(
  context: ControlContext,
  request: HttpRequest,
  name: string,
): Promise<HttpAnswer> {
  await askedBy(context, request, 'admin')
  const added = registerOf(context)
    .list()
    .find((one) => one.name === name)
  if (added) return jsonAnswer(added satisfies ConnectionDetail)
  if (Object.hasOwn(context.config.connections, name)) throw inFile()
  throw new Problem('not_found', 'there is no such connection')
}

async function addConnection(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const body = jsonBody(request)
  const name = textMember(body, 'name', 64)
  const settings = settingsMember(body.settings)
  const change = await registerOf(context).create(name, settings, principal.subject)
  const added = doneOrProblem(change)
  note(context, principal, 'connection.create', name, { settings })
  return jsonAnswer(added satisfies ConnectionDetail, 201)
}

async function changeConnection(
  context: ControlContext,
  request: HttpRequest,
  name: string,
): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const body = jsonBody(request)
  const settings = settingsMember(body.settings)
  const revision = countMember(body, 'revision', Number.MAX_SAFE_INTEGER, 0)
  const change = await registerOf(context).replace(name, settings, revision, principal.subject)
  const added = doneOrProblem(change)
  note(context, principal, 'connection.replace', name, { settings })
  return jsonAnswer(added satisfies ConnectionDetail)
}

async function removeConnection(
  context: ControlContext,
  request: HttpRequest,
  name: string,
): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const revision = Number(new URLSearchParams(request.query).get('revision') ?? '')
  if (!Number.isSafeInteger(revision) || revision <= 0)
    throw new Problem('bad_request', 'name the state that is removed: ?revision=, as the list tells it')
  const { settings } = doneOrProblem(await registerOf(context).remove(name, revision))
  note(context, principal, 'connection.remove', name, { settings })
  return { status: 204, headers: [], body: '' }
}

async function testConnection(
  context: ControlContext,
  request: HttpRequest,
  name: string,
): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const path = normalisePath(textMember(jsonBody(request), 'path', limits.request_path_bytes_max, '/'))
  if (path === null) throw new Problem('bad_request', '"path" must be a plain path that begins with /')
  const connection = context.resolvedConnection(name)
  if (!connection) throw new Problem('not_found', 'there is no such connection in force')
  const trial = await tryConnection(connection, path)
  note(context, principal, 'connection.test', name, { path, outcome: trial.outcome, status: trial.status })
  return jsonAnswer(trial)
}

function registerOf({ connections }: ControlContext): ConnectionRegister {
  if (connections) return connections
  throw new Problem('not_found', 'this control plane keeps no connections')
}

function settingsMember(value: unknown): Settings {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings
  throw new Problem(
    'bad_request',
    '"settings" must be an object with what sluice.yaml has under a connection',
  )
}

function inFile(): Problem {
  return new Problem('connection_conflict', 'the configuration file has this connection; change it there', {
    reason: 'in_file',
  })
}

function doneOrProblem(change: ConnectionChange) {
  switch (change.outcome) {
    case 'done':
      return change.added
    case 'invalid': {
      const [first] = change.problems
      const more = change.problems.length > 1 ? ` (and ${change.problems.length - 1} more)` : ''
      const detail = `${first!.path || 'the connection'}: ${first!.message}${more}`
      throw new Problem('connection_invalid', detail, { problems: change.problems })
    }
    case 'missing':
      throw new Problem('not_found', 'there is no such connection')
    case 'in_file':
      throw inFile()
    case 'exists':
      throw new Problem('connection_conflict', 'there is a connection of this name', { reason: 'exists' })
    case 'changed':
      throw new Problem('connection_conflict', 'somebody changed or removed it meanwhile; look at it again', {
        reason: 'changed',
      })
  }
}

/** Settings hold secrets by reference only, so all of them may be recorded. */
function note(
  { audit, config, log }: ControlContext,
  principal: Principal,
  action: AdminAction,
  name: string,
  detail: Readonly<Record<string, unknown>>,
): void {
  audit.appendAdminChange({ action, target: name, principal, gateway: config.gateway, detail })
  log.info({ action, connection: name, by: principal.subject }, 'somebody worked on a connection')
}
