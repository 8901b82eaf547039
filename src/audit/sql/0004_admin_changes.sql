-- One row for each change that a person made on the control plane: API keys, connections. Never a secret.
CREATE TABLE IF NOT EXISTS {database}.admin_changes {on_cluster}
(
    log_id UUID CODEC(ZSTD(1)),
    sequence UInt64 CODEC(Delta, ZSTD(1)),
    started_at DateTime64(6, 'UTC') COMMENT 'when it was changed' CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    gateway LowCardinality(String),
    action LowCardinality(String),
    target String CODEC(ZSTD(1)),
    detail String COMMENT 'JSON' CODEC(ZSTD(1)),
    subject String CODEC(ZSTD(1)),
    email String CODEC(ZSTD(1)),
    groups Array(LowCardinality(String)) CODEC(ZSTD(1)),
    issuer LowCardinality(String),
    proof LowCardinality(String),
    proof_expires_at Float64 COMMENT 'seconds since the epoch' CODEC(ZSTD(1)),
    INDEX by_sequence sequence TYPE minmax GRANULARITY 1
)
ENGINE = {engine}
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, sequence)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    ttl_only_drop_parts = 1;
