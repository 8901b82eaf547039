-- One row each time an approval changes: asked, decided, used, expired. The last row of an id is its present state.
CREATE TABLE IF NOT EXISTS {database}.approvals {on_cluster}
(
    id String CODEC(ZSTD(1)),
    log_id UUID CODEC(ZSTD(1)),
    sequence UInt64 CODEC(Delta, ZSTD(1)),
    started_at DateTime64(6, 'UTC') COMMENT 'when this change was recorded' CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    state LowCardinality(String),
    created_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    expires_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    exchange_id UUID CODEC(ZSTD(1)),
    used_by String COMMENT 'exchange that used it' CODEC(ZSTD(1)),
    binding String CODEC(ZSTD(1)),
    connection LowCardinality(String),
    policy_version LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    email String CODEC(ZSTD(1)),
    groups Array(LowCardinality(String)) CODEC(ZSTD(1)),
    issuer LowCardinality(String),
    proof LowCardinality(String),
    proof_expires_at Float64 COMMENT 'seconds since the epoch' CODEC(ZSTD(1)),
    method LowCardinality(String),
    path String CODEC(ZSTD(1)),
    model LowCardinality(String),
    rule LowCardinality(String),
    triggers Array(LowCardinality(String)) CODEC(ZSTD(1)),
    approvers Array(LowCardinality(String)) CODEC(ZSTD(1)),
    preview String COMMENT 'masked' CODEC(ZSTD(3)),
    preview_truncated Bool,
    content_type LowCardinality(String),
    body_bytes UInt64 CODEC(T64, ZSTD(1)),
    findings String COMMENT 'JSON array; at most as many as an approver is shown' CODEC(ZSTD(1)),
    findings_total UInt32 CODEC(T64, ZSTD(1)),
    hold_ms UInt64 CODEC(T64, ZSTD(1)),
    expires_ms UInt64 CODEC(T64, ZSTD(1)),
    decided_at DateTime64(3, 'UTC') COMMENT 'the epoch while undecided' CODEC(Delta, ZSTD(1)),
    decided_by String CODEC(ZSTD(1)),
    decided_by_email String CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    preview_digest String CODEC(ZSTD(1)),
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_sequence sequence TYPE minmax GRANULARITY 1
)
ENGINE = {engine}
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, id)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    ttl_only_drop_parts = 1;
