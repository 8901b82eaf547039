import type { Principal } from '../policy/principal.ts'
import type { Connection, LimitRule } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import { countKey, type SharedCounts } from '../threads/shared_counts.ts'
import type { Exchange } from './exchange.ts'

/** One counter that a request of a caller's touches. */
interface Counter {
  readonly rule: LimitRule
  readonly key: bigint
}

/** What a request holds of its caller's limits until it ends. */
export interface Taken {
  /** Slots in which the request is open. */
  readonly open: number[]
  /** Where its tokens will be counted. */
  readonly tokens: Counter[]
  /** `RateLimit-Policy` and `RateLimit` headers: names and values in turn. */
  headers: readonly string[]
  /** The kind of limit that was reached; null: none. */
  refused_by: LimitRule['kind'] | null
}

/** The least that is left of any window. */
interface Tightest {
  left: number
  policy: string
  state: string
}

/**
 * Between stages 2 and 3: the caller's limits. A request counts once it was allowed, whatever becomes of it; tokens count when their number
 * is known, so requests that run at the same time may together go over a budget.
 */
export function limitCaller(exchange: Exchange): void {
  const { connection } = exchange.prepared!
  if (connection.limits === undefined || connection.limits.length === 0) return
  const taken: Taken = { open: [], tokens: [], headers: [], refused_by: null }
  exchange.taken = taken
  const tightest: Tightest = { left: Number.POSITIVE_INFINITY, policy: '', state: '' }
  for (const counter of countersOf(connection, exchange.principal!)) take(exchange, taken, counter, tightest)
  if (tightest.policy !== '')
    taken.headers = ['ratelimit-policy', tightest.policy, 'ratelimit', tightest.state]
}

/** Called at the exchange's end. */
export function letGoOfLimits(exchange: Exchange): void {
  const { taken, plane } = exchange
  if (taken === null) return
  for (const slot of taken.open) plane.counts.close(slot)
  const tokens = tokensOf(exchange)
  if (tokens === 0) return
  const now_ms = plane.epoch_ms + performance.now()
  for (const { rule, key } of taken.tokens) {
    const slot = plane.counts.slot(key, now_ms, 2 * rule.window_ms)
    if (slot !== -1) plane.counts.add(slot, Math.min(tokens, 2 ** 30), rule.window_ms, now_ms)
  }
}

/** What it used of a token budget: as the provider counts, else one for each 4 bytes. Nothing when nothing went upstream. */
function tokensOf({ usage, sent_ms, request_body, response_body }: Exchange): number {
  if (usage === null || sent_ms === 0) return 0
  const bytes = (request_body?.bytes ?? 0) + (response_body?.bytes ?? 0)
  return usage.total() || Math.ceil(bytes / 4)
}

function take(exchange: Exchange, taken: Taken, counter: Counter, tightest: Tightest): void {
  const { counts, epoch_ms } = exchange.plane
  const { rule, key } = counter
  const now_ms = epoch_ms + performance.now()
  const slot = counts.slot(key, now_ms, 2 * rule.window_ms)
  if (slot === -1)
    throw new Problem('overloaded', 'too many callers are being counted at the moment', { retry_after: 60 })
  if (rule.kind === 'concurrency') {
    taken.open.push(slot)
    if (counts.open(slot) > rule.most) {
      taken.refused_by = rule.kind
      throw refusal(rule, 1, [])
    }
    return
  }
  const amount = rule.kind === 'requests' ? 1 : 0
  const { used, reset_ms } = counts.add(slot, amount, rule.window_ms, now_ms)
  const left = Math.max(0, Math.floor(rule.most - used))
  const reset_s = Math.ceil(reset_ms / 1000)
  const policy = `"${rule.kind}";q=${rule.most};w=${rule.window_ms / 1000}`
  const state = `"${rule.kind}";r=${left};t=${reset_s}`
  if (rule.kind === 'tokens') taken.tokens.push(counter)
  if (rule.kind === 'requests' ? used > rule.most : used >= rule.most) {
    if (amount > 0) counts.add(slot, -amount, rule.window_ms, now_ms)
    taken.refused_by = rule.kind
    throw refusal(rule, waitOf(counts, slot, rule, reset_s), ['ratelimit-policy', policy, 'ratelimit', state])
  }
  if (left / rule.most < tightest.left) Object.assign(tightest, { left: left / rule.most, policy, state })
}

/** Until the sliding window has room again: at the latest when the current window is over, unless that is full as well. */
function waitOf(counts: SharedCounts, slot: number, rule: LimitRule, reset_s: number): number {
  const now_ms = Date.now()
  const { used } = counts.add(slot, 0, rule.window_ms, now_ms)
  const share = Math.min(1, Math.max(0, (used - rule.most + 1) / Math.max(used, 1)))
  return Math.max(1, Math.min(reset_s, Math.ceil((share * rule.window_ms) / 1000)))
}

function refusal(rule: LimitRule, retry_after: number, headers: readonly string[]): Problem {
  const what = {
    requests: `${rule.most} requests in ${rule.window_ms / 1000} s`,
    concurrency: `${rule.most} requests at the same time`,
    tokens: `${rule.most} tokens in ${rule.window_ms / 1000} s`,
  }[rule.kind]
  const whose = { principal: 'you', group: 'your group', connection: 'all callers together' }[rule.per]
  const problem = new Problem('rate_limited', `the limit for ${whose} here is ${what}`, {
    reason: rule.kind,
    retry_after,
  })
  problem.headers.push(...headers)
  return problem
}

/** A caller's counters do not change while the caller and the connection stay the same objects. */
const known = new WeakMap<Connection, WeakMap<Principal, readonly Counter[]>>()

function countersOf(connection: Connection, principal: Principal): readonly Counter[] {
  let of_connection = known.get(connection)
  if (of_connection === undefined) {
    of_connection = new WeakMap()
    known.set(connection, of_connection)
  }
  let counters = of_connection.get(principal)
  if (counters === undefined) {
    counters = (connection.limits ?? []).flatMap((rule) =>
      namesOf(rule, principal).map((name) => ({
        rule,
        key: countKey(connection.name, rule.kind, `${rule.most} ${rule.window_ms} ${rule.per}`, ...name),
      })),
    )
    of_connection.set(principal, counters)
  }
  return counters
}

/** Who is counted together: one name for the caller or everybody, one a group for groups. */
function namesOf(rule: LimitRule, { issuer, subject, groups }: Principal): string[][] {
  const concerned = rule.groups === undefined ? groups : rule.groups.filter((group) => groups.includes(group))
  if (rule.groups !== undefined && concerned.length === 0) return []
  const scope = rule.groups?.join('\0') ?? ''
  if (rule.per === 'group') return concerned.map((group) => [group])
  return [rule.per === 'principal' ? [scope, issuer, subject] : [scope]]
}
