import type { Finding } from '../scanner/finding.ts'

/** Shapes of /api/v1 that the dashboard reads, beside those in messages.ts. Times in ms since the epoch. */

/** One recorded piece of a body, as it went out. */
export interface FrameItem {
  readonly direction: 'request' | 'response'
  /** Microseconds since the exchange began. */
  readonly offset_us: number
  /** Masked. A character that two frames share comes with the second. */
  readonly text: string
}

/** `GET /api/v1/exchanges/<id>/frames` */
export interface ExchangeFrames {
  readonly frames: readonly FrameItem[]
  /** From the first byte to the last, in microseconds. */
  readonly total_us: number
  /** Whether there is more than is recorded or sent. */
  readonly truncated: boolean
  /** Whether bodies of it were erased. */
  readonly erased: boolean
}

/** How many findings, by something's name. */
export interface FindingCount {
  readonly name: string
  /** Subject for people, else empty. */
  readonly id: string
  readonly findings: number
  /** Different secrets. */
  readonly secrets: number
  readonly exchanges: number
}

/** One secret, by its fingerprint, and how widely it is seen. */
export interface SharedSecret {
  readonly fingerprint: string
  readonly detector: string
  readonly people: number
  readonly connections: number
  readonly exchanges: number
  readonly first_seen: number
  readonly last_seen: number
}

/** `GET /api/v1/findings` */
export interface FindingsOverview {
  readonly from: number
  readonly to: number
  /** Width of one bucket. */
  readonly step_ms: number
  /** Beginnings of the buckets, without gaps. */
  readonly times: readonly number[]
  /** The most frequent detectors, then `other` when there are more. Each as long as `times`. */
  readonly series: readonly { readonly detector: string; readonly counts: readonly number[] }[]
  readonly total: number
  readonly secrets: number
  readonly exchanges: number
  readonly by_detector: readonly FindingCount[]
  readonly by_person: readonly FindingCount[]
  readonly by_connection: readonly FindingCount[]
  /** Widest spread first. */
  readonly shared: readonly SharedSecret[]
}

/** `GET /api/v1/fingerprints/<fingerprint>` */
export interface FingerprintDetail extends SharedSecret {
  readonly seen_by: readonly {
    readonly subject: string
    readonly email: string
    readonly connection: string
    readonly direction: 'request' | 'response'
    readonly exchanges: number
    readonly first_seen: number
    readonly last_seen: number
    /** Exchange in which it was seen last. */
    readonly last_exchange: string
  }[]
}

/** One entry of the catalogue. */
export interface DetectorItem {
  readonly id: string
  readonly vendor: string
  readonly kind: 'token' | 'block' | 'builtin'
  /** What it is found by. */
  readonly anchors: readonly string[]
  readonly checksum: string
  /** Reported, not masked: a public identifier. */
  readonly identifier: boolean
  readonly unconfirmed: boolean
  readonly source: string
}

/** `POST /api/v1/scan` */
export interface ScanResult {
  readonly masked: string
  readonly findings: readonly Finding[]
  readonly took_us: number
}

/** Traffic in one minute. */
export interface TrafficMinute {
  readonly at: number
  readonly exchanges: number
  readonly failed: number
  readonly request_bytes: number
  readonly response_bytes: number
  /** Time in the gateway itself: authentication and scanning of the request. */
  readonly added_p50_us: number
  readonly added_p99_us: number
}

/** `GET /api/v1/system` */
export interface SystemState {
  readonly now: number
  readonly health: SystemHealth
  readonly approvals_pending: number
  readonly dashboards: number
  readonly memory_bytes: number
  readonly uptime_s: number
  /** The last hour without gaps; null when ClickHouse does not answer. */
  readonly minutes: readonly TrafficMinute[] | null
  /** Over the last hour. */
  readonly hour: TrafficHour | null
}

/** The last hour in figures. */
export interface TrafficHour {
  readonly exchanges: number
  readonly failed: number
  readonly findings: number
  readonly unscanned_bytes: number
  readonly added_p50_us: number
  readonly added_p99_us: number
  readonly total_p50_us: number
  readonly total_p99_us: number
}

/** What `/healthz` says, as far as the dashboard shows it. */
export interface SystemHealth {
  readonly status: string
  readonly gateway?: string
  readonly policy?: string
  readonly workers?: { readonly listening: number; readonly configured: number }
  readonly issuers?: readonly { readonly issuer: string; readonly keys: number }[]
  readonly audit?: {
    readonly blocked: boolean
    readonly clickhouse: string
    readonly spool_rows: number
    readonly spool_bytes: number
    readonly inserted_rows: number
    readonly failed_batches: number
    readonly dropped: number
    readonly rejected_rows: number
  }
}

/** A connection of the running configuration, without its credential. */
export interface ConnectionItem {
  readonly name: string
  readonly upstream: string
  /** Name of the header that carries the upstream's credential; empty when there is none. */
  readonly credential_header: string
  readonly request: { readonly secrets: string; readonly style: string }
  readonly response: { readonly secrets: string; readonly style: string }
  readonly unscannable: string
  readonly timeouts: {
    readonly connect_ms: number
    readonly response_headers_ms: number
    readonly idle_ms: number
  }
  readonly allow: readonly RuleItem[]
  readonly approve: readonly ApproveRuleItem[]
  /** Only for one that was added on the control plane. */
  readonly added?: AddedItem
}

/** Which state of an added connection this is, and whose. */
export interface AddedItem {
  readonly revision: number
  readonly changed_at: number
  readonly changed_by: string
}

/** One thing that is wrong with a connection's settings. */
export interface SettingProblem {
  /** Below the connection, such as `allow.0.groups`. */
  readonly path: string
  readonly message: string
}

/** `GET /api/v1/connections` */
export interface ConnectionsList {
  /** In force. */
  readonly connections: readonly ConnectionItem[]
  /** Added, and not in force. */
  readonly broken: readonly (AddedItem & {
    readonly name: string
    readonly problems: readonly SettingProblem[]
  })[]
  /** Whether whoever asks may add some. */
  readonly may_add: boolean
}

/** An added connection, `GET /api/v1/connections/<name>`: its settings as `sluice.yaml` writes them, secrets by reference. */
export interface ConnectionDetail extends AddedItem {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly created_at: number
  readonly created_by: string
  /** Why it is not in force; empty when it is. */
  readonly problems: readonly SettingProblem[]
}

/** `POST /api/v1/connections/<name>/test` */
export interface ConnectionTrial {
  readonly outcome:
    | 'answered'
    | 'credential_refused'
    | 'failing'
    | 'no_credential'
    | 'dns'
    | 'unreachable'
    | 'timeout'
    | 'tls'
    | 'protocol'
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  readonly took_ms: number
  /** A sentence. */
  readonly text: string
}

/** An allow rule. An empty list: anything. */
export interface RuleItem {
  readonly groups: readonly string[]
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly models: readonly string[]
}

/** An approve rule. An empty list: not asked for. */
export interface ApproveRuleItem extends Omit<RuleItem, 'methods'> {
  readonly name: string
  readonly keywords: readonly string[]
  readonly findings: readonly string[]
  readonly approvers: readonly string[]
  readonly hold_ms: number
  readonly expires_ms: number
  readonly min_approvals: number
  readonly grant_ms_max: number
}

/** `POST /api/v1/policy/check` asks. */
export interface PolicyQuestion {
  readonly connection: string
  readonly groups: readonly string[]
  readonly method: string
  readonly path: string
  readonly model: string
  /** A body to scan; empty for none. */
  readonly text: string
}

/** `POST /api/v1/policy/check` answers. */
export interface PolicyAnswer {
  readonly outcome: 'allow' | 'deny' | 'held' | 'blocked'
  /** Code of why not; empty when it passes. */
  readonly reason: string
  /** A sentence. */
  readonly text: string
  /** Path as the rules see it. */
  readonly path: string
  /** Rule that would hold it, and what triggers it. */
  readonly held_by: {
    readonly rule: string
    readonly triggers: readonly string[]
    readonly approvers: readonly string[]
  } | null
  /** Approve rules that concern this caller and path; whether one holds depends on the body. */
  readonly may_be_held_by: readonly string[]
  readonly findings: readonly Finding[]
}

/** One key of `GET /api/v1/api-keys`. */
export interface ApiKeyItem {
  readonly id: string
  readonly name: string
  readonly groups: readonly string[]
  readonly created_at: number
  readonly created_by: string
  readonly expires_at: number
  readonly revoked: { readonly at: number; readonly by: string } | null
  readonly last_used_at: number | null
}
