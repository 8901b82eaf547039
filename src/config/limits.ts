import assert from 'node:assert'

const KiB = 1024
const MiB = 1024 * KiB

/**
 * Every bound of the gateway in one place. Units and qualifiers stand last in each name.
 * The relations between them are asserted below, at load.
 */
export const limits = {
  /** Caller's request line and headers; OIDC tokens with hundreds of groups fit. */
  request_headers_bytes_max: 64 * KiB,
  /** A request body that streams through without being held. */
  request_body_bytes_max: 1024 * MiB,
  /** A request body kept whole because an approval, a model rule or `block` needs it whole. */
  request_held_body_bytes_max: 32 * MiB,
  /** A body of known length up to this is read whole and sent with `Content-Length`; longer ones stream. */
  request_gathered_body_bytes_max: 1 * MiB,
  /** The same for a body with a content coding, in encoded bytes: decoded it can be held. */
  request_gathered_encoded_bytes_max: 128 * KiB,
  /** What a body with a content coding may decode to, times its own bytes; real text stays far below. */
  decoded_ratio_max: 250,
  /** Decoded bytes of one body that are let through whatever the ratio. */
  decoded_free_bytes_max: 4 * MiB,
  /** Bodies that one worker decodes at once: each may need the window of its coding, at most 16 MiB. */
  worker_decoders_max: 1_000,
  /** A response with a content coding, decoded. */
  response_decoded_bytes_max: 1024 * MiB,
  /** One message of a WebSocket, in either direction; pieces of audio have up to 15 MiB. */
  websocket_message_bytes_max: 16 * MiB,
  /** Messages of a caller's that wait for a slow service: the server cannot pause a WebSocket, so then it is closed. */
  websocket_backlog_bytes_max: 32 * MiB,
  /** Findings kept of each direction of a WebSocket. */
  session_findings_max: 10_000,
  /** A caller that answers no ping for so long is gone. */
  websocket_silence_s_max: 120,
  /** Path of a request; a longer one is refused before any glob looks at it. */
  request_path_bytes_max: 8 * KiB,
  /** What may still arrive of a request body while reading it is paused: the socket is read until it is empty once. */
  request_backlog_bytes_max: 256 * MiB,
  /** All such bytes of one worker together. */
  worker_backlog_bytes_max: 512 * MiB,
  /** Of a refused request's body that is read and dropped, so that the caller gets to read the answer. */
  request_unread_bytes_max: 1 * MiB,
  request_unread_ms_max: 2_000,
  /** For so long nothing is read after the answer, so that a caller that looks up while it sends sees it and stops. */
  request_unread_pause_ms: 250,
  /** All held bodies of one worker together. */
  worker_held_bytes_max: 512 * MiB,
  /** Masked bytes waiting for a slow side before the fast side is paused. */
  relay_buffer_bytes_max: 1 * MiB,
  /** Bytes below which the paused side goes on. */
  relay_buffer_bytes_low: 256 * KiB,
  /** Exchanges open at once in one worker. */
  worker_exchanges_max: 20_000,
  upstream_connections_max: 256,
  upstream_headers_bytes_max: 64 * KiB,
  upstream_connect_ms_max: 10_000,
  upstream_response_headers_ms_max: 300_000,
  upstream_idle_ms_max: 300_000,
  /** Between two chunks of a request body. */
  request_idle_ms_max: 30_000,
  /** A caller that takes no byte of its response for so long is cut off. */
  response_stall_ms_max: 60_000,
  /** How often a worker looks for passed deadlines; their resolution. */
  worker_sweep_ms: 250,
  /** A held request's connection, at most. */
  hold_ms_max: 3_600_000,
  hold_ms_default: 210_000,
  /** One keyword of an approve rule, in UTF-8. */
  keyword_bytes_max: 200,
  /** Known secrets of the configuration and of its folders: their forms fit the scanner's tables. */
  known_secrets_max: 200,
  /** All different keywords of the configuration together: the scanner's tables of them fit its memory. */
  keywords_bytes_max: 8 * KiB,
  approval_expires_ms_default: 3_600_000,
  approval_preview_bytes_max: 64 * KiB,
  approvals_pending_max: 20_000,
  /** One caller's pending approvals, so that nobody fills the queue for everybody. */
  approvals_pending_per_principal_max: 500,
  /** Grants in force at once. */
  grants_max: 10_000,
  /** People whose yes one approval may need, and the longest grant. */
  min_approvals_max: 10,
  grant_ms_max: 24 * 3_600_000,
  /** Receivers of notices; notices that wait for all of them together. */
  notify_hooks_max: 20,
  notices_max: 5_000,
  /** One attempt, the wait before the next (doubled each time, between these), and when a notice is too old to be of use. */
  notify_ms_max: 10_000,
  notify_retry_ms_min: 1_000,
  notify_retry_ms_max: 300_000,
  notice_ms_max: 86_400_000,
  /** Findings kept with an approval; the total is kept too. */
  approval_findings_max: 500,
  approval_reason_chars_max: 1_000,
  /** Approvals that came to their end and are still listed; the audit keeps them for good. */
  approvals_finished_max: 10_000,
  approvals_finished_ms_max: 7 * 86_400_000,
  /** Masked body bytes recorded a direction. */
  audit_body_bytes_max: 4 * MiB,
  /** Masked chunks that go out within this time become one frame. */
  audit_frame_ms: 20,
  audit_frame_bytes_max: 64 * KiB,
  audit_batch_rows_max: 5_000,
  audit_batch_bytes_max: 16 * MiB,
  audit_batch_ms_max: 1_000,
  audit_spool_bytes_max: 4096 * MiB,
  /** Part of the spool kept free when new exchanges are refused, for the records of those that are still open. */
  audit_spool_reserve_percent: 10,
  /** How long a request, or the end of a response, waits for its record to be on the disk before it is given up. */
  audit_recorded_ms_max: 10_000,
  /** Encoded records in memory that wait for the spool's disk. */
  audit_spool_pending_bytes_max: 64 * MiB,
  /** Records that ClickHouse refused one by one, kept beside the spool. */
  audit_rejected_bytes_max: 256 * MiB,
  /** One insert; after that it is sent again under the same token. */
  audit_insert_ms_max: 60_000,
  /** Wait before a failed insert is sent again: doubled each time, between these. */
  audit_retry_ms_min: 250,
  audit_retry_ms_max: 30_000,
  /** How long a stopping gateway waits for the spool to reach ClickHouse; what is left is inserted after the next start. */
  audit_close_ms_max: 3_000,
  /** One analyst's query: its text, its time, its memory in ClickHouse, its result. */
  audit_query_text_bytes_max: 64 * KiB,
  audit_query_ms_max: 30_000,
  audit_query_memory_bytes_max: 1024 * MiB,
  audit_query_rows_max: 100_000,
  audit_query_result_bytes_max: 16 * MiB,
  /** Queries that wait for those before them. */
  audit_queries_waiting_max: 16,
  /** The dashboard's own reads: so many at once, so many waiting. */
  audit_reads_at_once_max: 2,
  audit_reads_waiting_max: 128,
  /** Messages between threads that may wait in one tick's batch. */
  thread_batch_messages_max: 4_096,
  token_bytes_max: 32 * KiB,
  token_clock_skew_s_max: 60,
  /** Verified tokens that one worker remembers. */
  token_cache_entries_max: 10_000,
  /** API keys of a gateway, revoked ones included. */
  api_keys_max: 10_000,
  erasure_subject_chars_max: 500,
  erasure_reason_chars_max: 1_000,
  api_key_name_chars_max: 100,
  api_key_groups_max: 50,
  api_key_expires_ms_default: 90 * 86_400_000,
  api_key_expires_ms_max: 3_650 * 86_400_000,
  /** Last uses of API keys are written to the store this often. */
  api_key_use_ms: 30_000,
  /** How long a request whose token names an unknown key waits for fresh keys. */
  unknown_key_wait_ms_max: 2_000,
  /** What an issuer said of an opaque token is believed for so long, or until the token expires if that is sooner. */
  introspection_ms_max: 60_000,
  /** That a token is not good. */
  introspection_inactive_ms_max: 10_000,
  /** A request waits so long for what an issuer says. */
  introspection_wait_ms_max: 3_000,
  introspections_at_once_max: 64,
  jwks_refetch_ms_min: 10_000,
  /** Keys are fetched again this often, so that revoked ones go. */
  jwks_refresh_ms: 600_000,
  jwks_fetch_ms_max: 10_000,
  jwks_bytes_max: 1 * MiB,
  /** Header and query values that one worker remembers as clean, and the longest of them in characters. */
  clean_text_entries_max: 4_096,
  clean_text_chars_max: 512,
  config_bytes_max: 1 * MiB,
  /** Exchanges in one page of a list. */
  exchanges_page_max: 200,
  /** From begin to end of what one read of the dashboard's looks at. */
  control_range_ms_max: 400 * 86_400_000,
  /** Rows of a ranking, and buckets of a chart over time. */
  control_groups_max: 20,
  control_buckets_max: 120,
  /** Recorded bytes of one exchange that a replay is sent. */
  replay_bytes_max: 4 * MiB,
  /** A request body on the control listener. */
  control_body_bytes_max: 64 * KiB,
  /** From the sign-in, whatever the dashboard does meanwhile. */
  session_ms_max: 8 * 3_600_000,
  sessions_max: 10_000,
  /** From leaving for the identity provider to coming back. */
  login_ms_max: 600_000,
  live_connections_max: 1_000,
  /** A frame from a browser. */
  live_frame_bytes_max: 16 * KiB,
  /** Unsent bytes of one browser before it is dropped. */
  live_backlog_bytes_max: 4 * MiB,
  /** Browsers are told of what happened within this time together. */
  live_batch_ms: 50,
  /** Encoded snapshots kept for people who see different things, until something changes. */
  live_snapshots_max: 16,
  /** Recorded exchanges told at once; of more the newest are told, and how many were not. */
  live_tail_rows_max: 100,
  /** Unsent bytes at which a browser is told of no more recorded exchanges until it took them. */
  live_tail_backlog_bytes_max: 256 * KiB,
  /** Past events kept for browsers that come back. */
  live_events_max: 2_000,
  /** Approvals in one snapshot or one page of a list. */
  approvals_page_max: 500,
  /** One value of the state store, encoded: with what goes around it, it fits into one message of NATS (1 MiB). */
  state_value_bytes_max: 1 * MiB - 8 * KiB,
  /** How long one operation of a state store on the network may take, and how long its start waits for it. */
  state_ms_max: 3_000,
  state_open_ms_max: 30_000,
  /** How often a gateway tells others what it counted for limits, and when a silent one's open requests are forgotten. */
  limit_use_ms: 250,
  limit_use_silent_ms_max: 5_000,
  /** Counters in one such message: it fits into one value of the state store. */
  limit_use_counters_max: 20_000,
  connections_max: 1_000,
  /** How long the test of a connection waits for its service. */
  connection_try_ms_max: 10_000,
  stop_grace_ms: 10_000,
  /** For callers to answer the close of their WebSockets. */
  stop_sessions_ms: 1_000,
  /** For the records of what the grace ended, before its connections are closed. */
  stop_recording_ms_max: 2_000,
} as const

assert(limits.relay_buffer_bytes_low < limits.relay_buffer_bytes_max)
assert(limits.request_held_body_bytes_max <= limits.worker_held_bytes_max)
assert(limits.request_held_body_bytes_max <= limits.request_body_bytes_max)
assert(limits.request_unread_pause_ms < limits.request_unread_ms_max)
assert(limits.request_backlog_bytes_max <= limits.worker_backlog_bytes_max)
assert(limits.request_gathered_body_bytes_max <= limits.request_held_body_bytes_max)
assert(
  limits.request_gathered_encoded_bytes_max * limits.decoded_ratio_max <= limits.request_held_body_bytes_max,
)
assert(limits.decoded_free_bytes_max <= limits.request_held_body_bytes_max)
assert(limits.decoded_free_bytes_max <= limits.response_decoded_bytes_max)
assert(limits.websocket_message_bytes_max < limits.websocket_backlog_bytes_max)
assert(limits.relay_buffer_bytes_max < limits.websocket_message_bytes_max)
assert(limits.request_path_bytes_max < limits.request_headers_bytes_max)
assert(limits.audit_frame_bytes_max <= limits.audit_body_bytes_max)
assert(limits.jwks_fetch_ms_max <= limits.jwks_refresh_ms)
assert(limits.token_bytes_max < limits.request_headers_bytes_max)
assert(limits.approval_preview_bytes_max <= limits.request_held_body_bytes_max)
assert(limits.approvals_pending_per_principal_max <= limits.approvals_pending_max)
assert(limits.live_tail_backlog_bytes_max < limits.live_backlog_bytes_max)
assert(limits.live_frame_bytes_max <= limits.control_body_bytes_max)
assert(limits.hold_ms_default <= limits.hold_ms_max)
assert(limits.audit_batch_bytes_max < limits.audit_spool_bytes_max)
assert(
  limits.audit_spool_pending_bytes_max <
    (limits.audit_spool_bytes_max * limits.audit_spool_reserve_percent) / 100,
)
assert(4 * limits.approval_preview_bytes_max < limits.state_value_bytes_max)
assert(4 * limits.limit_use_ms < limits.limit_use_silent_ms_max)
assert(limits.limit_use_counters_max * 32 < limits.state_value_bytes_max)
assert(limits.notify_retry_ms_min < limits.notify_retry_ms_max)
assert(limits.audit_retry_ms_min < limits.audit_retry_ms_max)
assert(2 * limits.audit_body_bytes_max < limits.audit_batch_bytes_max)
