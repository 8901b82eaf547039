import type { Connection, ScannerRule } from '../policy/snapshot.ts'
import type { WrittenConfig } from './schema.ts'

/** Where a listener binds. Port 0 asks the system for a free one. */
export interface ListenAddress {
  /** IPv4, IPv6 without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

/** One OpenID issuer whose tokens are accepted. */
export interface IssuerConfig {
  /** Exactly as the tokens' `iss` claim spells it. */
  readonly issuer: string
  readonly audience: string
  /** Path into the claims, dots between the steps. Default `groups`. */
  readonly groups_claim: string
  /** JWS algorithms, asymmetric only. */
  readonly algorithms: readonly string[]
  /** Clients whose tokens are accepted; absent: any. */
  readonly authorized_parties?: readonly string[]
  /** How the issuer is asked about tokens that are no JWT (RFC 7662); absent: such tokens are refused. */
  readonly introspection?: IntrospectionConfig
}

/** The gateway's own client at an issuer, for introspection. */
export interface IntrospectionConfig {
  readonly client_id: string
  /** Resolved. */
  readonly client_secret: string
  /** Default: what the issuer's discovery document says. */
  readonly url?: string
}

/** The dashboard's own client at one of the issuers. */
export interface DashboardClient {
  /** One of `identity.issuers`. Default: the first. */
  readonly issuer: string
  readonly client_id: string
  /** Resolved. */
  readonly client_secret: string
  /** Origin under which browsers reach the control listener, without a trailing slash; null: `http://` and its address. */
  readonly public_url: string | null
}

/** Groups of people by what they may do on the control plane. Empty lists: nobody. */
export interface Roles {
  readonly admin: readonly string[]
  readonly approver: readonly string[]
  readonly auditor: readonly string[]
}

export interface ClickHouseConfig {
  readonly url: string
  readonly database: string
  readonly username: string
  /** Resolved. */
  readonly password: string
}

/** Who is told of approvals by HTTP. */
export interface Hook {
  /** Resolved; may hold a secret of its own, as Slack's do. */
  readonly url: string
  /** Signs what is sent; resolved. Empty: unsigned, for receivers that check nothing. */
  readonly secret: string
  readonly format: 'json' | 'slack'
}

/** How the gateway gets into NATS. Secrets resolved; empty: none. */
export interface NatsConfig {
  readonly bucket: string
  readonly replicas: number
  readonly credentials: string
  readonly user: string
  readonly password: string
  readonly token: string
  /** PEM texts. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null
}

/** What connections that people add on the control plane may be. */
export interface ApiConnectionsConfig {
  /** Globs over origins: where they may lead. */
  readonly upstreams: readonly string[]
  /** Which secrets they may refer to, and where each may be sent. */
  readonly secrets: readonly {
    /** Globs over names of environment variables. */
    readonly env?: readonly string[]
    /** Globs over absolute paths: `*` within a folder, `**` over folders. */
    readonly files?: readonly string[]
    /** Globs over origins. */
    readonly upstreams: readonly string[]
  }[]
}

/** `sluice.yaml`, checked, with references resolved, defaults filled in and units converted. */
export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string
  /** This gateway's name in the audit. Default: the host name. */
  readonly gateway: string
  readonly listen: { readonly proxy: ListenAddress; readonly control: ListenAddress }
  /** Absolute path of the folder for state, spool and embedded ClickHouse. Default: `data` beside the file. */
  readonly data: string
  /** Proxy threads. Default: one a core. */
  readonly workers: number
  readonly log: 'auto' | 'json' | 'text'
  readonly identity: {
    /** Never empty. */
    readonly issuers: readonly IssuerConfig[]
    readonly dashboard: DashboardClient | null
    readonly roles: Roles
  }
  readonly connections: Readonly<Record<string, Connection>>
  /** For connections that have no `limits` of their own, as they are written. */
  readonly default_limits: WrittenConfig['limits']
  /** Null: nobody adds connections on the control plane. */
  readonly api_connections: ApiConnectionsConfig | null
  /** Who is told of new, decided and expired approvals. */
  readonly notify: readonly Hook[]
  readonly detectors: {
    readonly entropy: 'balanced' | 'strict' | 'off'
    /** Exact secrets, resolved, those of folders among them. Never to be logged. */
    readonly known_secrets: readonly string[]
    /** Detectors of the user's own, those of files among them. */
    readonly rules: readonly ScannerRule[]
    /** Absolute paths of the files and folders that these came from: when one changes, the configuration is read again. */
    readonly sources: readonly string[]
  }
  readonly audit: {
    /** Null: embedded, in the data folder. */
    readonly clickhouse: ClickHouseConfig | null
    /** Whole days, at least 1. Default 400. */
    readonly retention_days: number
    readonly when_full: 'block' | 'drop'
    /** Whether the end of a response waits until its record is on the disk. */
    readonly guarantee: 'answered' | 'eventual'
    /** True: the opening record is durable before a request goes upstream; implies `answered`. */
    readonly strict: boolean
    /** PEM, resolved; null: made in the data folder. */
    readonly signing_key: string | null
    readonly heads: {
      /** Absolute path; null: in the data folder. */
      readonly file: string | null
      readonly url: string | null
      /** Between two signed tree heads, at least. */
      readonly every_ms: number
    }
    /** Masked body bytes recorded a direction. */
    readonly body_bytes_max: number
  }
  /** `embedded`, or addresses of NATS servers with commas between. */
  readonly state: string
  readonly nats: NatsConfig
  /** 32 bytes; null: the data folder's own, or with NATS the one that the gateways agree on. */
  readonly installation_key: Uint8Array | null
  /** Absolute paths of the files that `${file:}` references read; a change of one is a change of the configuration. */
  readonly secret_files: readonly string[]
  /** What is allowed but probably not meant, such as a connection that nobody may use. */
  readonly warnings: readonly ConfigProblem[]
}

/** One thing that is wrong (or, among the warnings, doubtful) in the file. */
export interface ConfigProblem {
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1. */
  readonly column: number
  /** Dotted path of the setting, such as `connections.openai.allow.0.groups`; empty for the whole file. */
  readonly path: string
  /** What is wrong and what is allowed. Never contains a setting's value. */
  readonly message: string
}
