import type { Hours } from './within_hours.ts'

/** What happens to a found secret in one direction. `approve` holds the exchange for a person. */
export type SecretsAction = 'mask' | 'block' | 'flag' | 'approve'

/** What replaces a secret. `restore` is for requests: what was replaced there comes back in the response. Fixed names. */
export type MaskStyle = 'label' | 'partial' | 'fixed' | 'pseudonym' | 'restore'

/** What one direction of a connection does with its bodies. */
export interface DirectionRule {
  readonly secrets: SecretsAction
  readonly style: MaskStyle
  /**
   * Whether a body whose content coding was undone goes on `decoded` (the default), or in the `same` coding. A response
   * keeps its coding only where the caller accepts it, and upstream is asked for one only with `same`.
   */
  readonly encoding?: 'decoded' | 'same'
}

/** One rule of a connection's `allow` list. Every given field must match; an absent field matches anything. */
export interface AllowRule {
  /** Any of these groups lets the caller through. Never empty. */
  readonly groups: readonly string[]
  /** HTTP methods in upper case. */
  readonly methods?: readonly string[]
  /** Globs over the upstream path: `*` within a segment, `**` over segments. */
  readonly paths?: readonly string[]
  /** Globs over the request's top-level `model` string. */
  readonly models?: readonly string[]
  readonly hours?: Hours
}

/** One limit of a connection. A request must be within all that concern its caller. */
export interface LimitRule {
  /** `requests` and `tokens` in a sliding window, or requests open at the same time. */
  readonly kind: 'requests' | 'tokens' | 'concurrency'
  /** At most 2^30. */
  readonly most: number
  /** In ms. For `concurrency` only how long its counter is kept. */
  readonly window_ms: number
  /** Who is counted together: each caller alone, each group, or all callers of the connection. */
  readonly per: 'principal' | 'group' | 'connection'
  /** Only callers in one of these are concerned; absent: all. */
  readonly groups?: readonly string[]
}

/** One rule of a connection's `approve` list. Each given trigger kind must match; within one kind, any entry. */
export interface ApproveRule {
  readonly name: string
  /** Words or phrases, case-insensitive, word-bounded. */
  readonly keywords?: readonly string[]
  /** Detector ids, or `*` for any secret. */
  readonly findings?: readonly string[]
  readonly models?: readonly string[]
  readonly paths?: readonly string[]
  /** Only callers in one of these groups are held. */
  readonly groups?: readonly string[]
  /** Groups whose members may decide. Never empty. */
  readonly approvers: readonly string[]
  /** How long a caller's connection is kept open, in ms. */
  readonly hold_ms: number
  /** How long the approval may be decided, and after approval be used, in ms. */
  readonly expires_ms: number
  /** Different people who must approve. Default 1. */
  readonly min_approvals?: number
  /** For how long, at most, an approver may let the same caller through this rule without asking again, in ms. Default 0: not at all. */
  readonly grant_ms_max?: number
}

/** A fixed header. */
export interface HeaderCredential {
  readonly kind?: undefined
  /** Lower-case header name. */
  readonly header: string
  readonly value: string
}

/** A parameter of the query. */
export interface QueryCredential {
  readonly kind: 'query'
  readonly name: string
  readonly value: string
}

/** AWS Signature Version 4. */
export interface AwsCredential {
  readonly kind: 'aws'
  readonly region: string
  /** As signed: `bedrock`, `sagemaker`, `s3`. */
  readonly service: string
  readonly access_key_id: string
  readonly secret_access_key: string
  /** Empty for keys that are not temporary. */
  readonly session_token: string
}

/** OAuth client credentials: the control thread gets the tokens, and the data plane sees only these. */
export interface OAuthCredential {
  readonly kind: 'oauth'
  readonly token_url: string
  readonly client_id: string
  readonly client_secret: string
  /** Empty: not sent. */
  readonly scope: string
  readonly audience: string
}

/** How the gateway authenticates to one upstream. Values are resolved; they never leave the process. */
export type UpstreamCredential =
  | HeaderCredential
  | QueryCredential
  | AwsCredential
  | OAuthCredential
  /** An OAuth credential that has no token at the moment. */
  | { readonly kind: 'pending' }

/** One registered inference endpoint with everything the data plane needs to serve it. */
export interface Connection {
  /** First path segment of the gateway's URL: `[a-z0-9][a-z0-9_-]{0,63}`. */
  readonly name: string
  /** Origin and base path without a trailing slash, `http:` or `https:`. */
  readonly upstream: string
  readonly credential: UpstreamCredential | null
  /** In order; default deny. */
  readonly allow: readonly AllowRule[]
  readonly request: DirectionRule
  readonly response: DirectionRule
  readonly approve: readonly ApproveRule[]
  /** Absent: none. */
  readonly limits?: readonly LimitRule[]
  readonly unscannable: 'block' | 'pass'
  readonly timeouts: {
    readonly connect_ms: number
    /** From the last request byte to the first response header. */
    readonly response_headers_ms: number
    /** Between two body chunks of the response. */
    readonly idle_ms: number
  }
}

/** One trusted OpenID issuer. Keys are fetched by the control thread; the data plane only reads them. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly audience: string
  /** Path into the claims, dots between the steps: `realm_access.roles`. */
  readonly groups_claim: string
  /** Allowed JWS algorithms; never `none`, never symmetric. */
  readonly algorithms: readonly string[]
  /** Clients whose tokens are accepted, by `azp` or `client_id`; absent: any. */
  readonly authorized_parties?: readonly string[]
  /** Whether tokens that are no JWT may be asked about at the issuer. */
  readonly introspects?: boolean
  /** JSON Web Key Set, public keys only. Empty until first fetched. */
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] }
}

/** What the data plane needs of an API key in force. */
export interface ApiKeyEntry {
  readonly id: string
  /** SHA-256 of the key, hex. */
  readonly hash: string
  readonly groups: readonly string[]
  /** In seconds since the epoch. */
  readonly expires_at: number
}

/** A detector of the user's own, see `Rule` of the scanner. */
export interface ScannerRule {
  readonly id: string
  readonly regex: string
  readonly secret_group?: number
  readonly entropy?: number
  readonly allow?: readonly {
    readonly regexes?: readonly string[]
    readonly target?: 'secret' | 'match'
    readonly stopwords?: readonly string[]
  }[]
}

/** Everything the data plane decides by. Immutable; replaced whole. Structured-cloneable. */
export interface Snapshot {
  /** Changes with every published snapshot; hex digest of the policy part, so equal policies share it. */
  readonly version: string
  readonly connections: Readonly<Record<string, Connection>>
  readonly issuers: readonly TrustedIssuer[]
  /** Not part of the version: making or revoking a key leaves approvals as they are. */
  readonly api_keys: readonly ApiKeyEntry[]
  readonly scanner: {
    readonly mode: 'balanced' | 'strict'
    /** Whether the entropy detector runs. */
    readonly entropy: boolean
    /** Every keyword of every approve rule, lower case, without repeats. */
    readonly keywords: readonly string[]
    /** Exact secrets to find; never to be logged. */
    readonly known_secrets?: readonly string[]
    /** Detectors of the user's own. */
    readonly rules?: readonly ScannerRule[]
    /** 32 bytes; keys the fingerprints. */
    readonly fingerprint_key: Uint8Array
  }
  readonly audit: {
    /** The opening record is on the disk before a request goes upstream. */
    readonly strict: boolean
    /** `answered`: the end of a response goes out when its record is on the disk. `eventual`: shortly before that. */
    readonly guarantee: 'answered' | 'eventual'
    readonly body_bytes_max: number
  }
}

/** What `decide` needs to know of a request that was already scanned. */
export interface ScannedRequest {
  readonly method: string
  /** Upstream path, normalised, without the query. */
  readonly path: string
  /** Top-level `model` of a JSON body; empty when there is none. */
  readonly model: string
  /** What the scanner found; only what rules can name. */
  readonly findings: readonly {
    readonly detector: string
    readonly kind: 'secret' | 'keyword'
    readonly masked: string
  }[]
}
