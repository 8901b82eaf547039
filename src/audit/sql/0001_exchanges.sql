-- One row an exchange, and what was found in it. Everything here is masked before it arrives.
--
-- `log_id` names the spool that a record came through and `sequence` its place in it, from 1 without gaps: together
-- they are the record's identity, whatever the database does with the order of rows.
--
-- Deduplication: a batch that is sent again under its token adds nothing. Ordered by time, because the newest records
-- are read most; a lookup by id goes through the bloom filter.

CREATE TABLE IF NOT EXISTS {database}.exchanges {on_cluster}
(
    id UUID CODEC(ZSTD(1)),
    log_id UUID CODEC(ZSTD(1)),
    sequence UInt64 CODEC(Delta, ZSTD(1)),
    started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    gateway LowCardinality(String),
    connection LowCardinality(String),
    policy_version LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    email String CODEC(ZSTD(1)),
    groups Array(LowCardinality(String)) CODEC(ZSTD(1)),
    issuer LowCardinality(String),
    proof LowCardinality(String) COMMENT 'empty when nobody was authenticated',
    proof_expires_at Float64 COMMENT 'seconds since the epoch' CODEC(ZSTD(1)),
    client_address String CODEC(ZSTD(1)),
    method LowCardinality(String),
    path String CODEC(ZSTD(1)),
    query String CODEC(ZSTD(1)),
    model LowCardinality(String),
    status UInt16 COMMENT '0 when no answer was sent',
    outcome LowCardinality(String),
    code LowCardinality(String),
    request_content_type LowCardinality(String),
    request_bytes UInt64 CODEC(T64, ZSTD(1)),
    request_scanned_bytes UInt64 CODEC(T64, ZSTD(1)),
    request_unscanned_bytes UInt64 CODEC(T64, ZSTD(1)),
    request_unscanned_reason LowCardinality(String),
    request_truncated Bool,
    response_content_type LowCardinality(String),
    response_bytes UInt64 CODEC(T64, ZSTD(1)),
    response_scanned_bytes UInt64 CODEC(T64, ZSTD(1)),
    response_unscanned_bytes UInt64 CODEC(T64, ZSTD(1)),
    response_unscanned_reason LowCardinality(String),
    response_truncated Bool,
    findings_count UInt32 CODEC(T64, ZSTD(1)),
    detectors Array(LowCardinality(String)) CODEC(ZSTD(1)),
    frames_count UInt32 CODEC(T64, ZSTD(1)),
    approval_id String CODEC(ZSTD(1)),
    approval_outcome LowCardinality(String),
    approval_by String CODEC(ZSTD(1)),
    approval_held_us UInt64 CODEC(T64, ZSTD(1)),
    authenticate_us UInt64 CODEC(T64, ZSTD(1)),
    scan_us UInt64 CODEC(T64, ZSTD(1)),
    upstream_first_byte_us UInt64 CODEC(T64, ZSTD(1)),
    total_us UInt64 CODEC(T64, ZSTD(1)),
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_subject subject TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_sequence sequence TYPE minmax GRANULARITY 1
)
ENGINE = {engine}
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, id)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    ttl_only_drop_parts = 1;

-- Masked pieces of the bodies as they went out, in order, for replay. A frame may hold any bytes and the row format is
-- text, so the bytes arrive as base64 and are stored decoded.
CREATE TABLE IF NOT EXISTS {database}.frames {on_cluster}
(
    exchange_id UUID CODEC(ZSTD(1)),
    started_at DateTime64(6, 'UTC') COMMENT 'when the exchange began' CODEC(Delta, ZSTD(1)),
    sequence UInt32 COMMENT 'place in the exchange, from 0' CODEC(Delta, ZSTD(1)),
    direction LowCardinality(String),
    offset_us UInt64 COMMENT 'since the exchange began' CODEC(Delta, ZSTD(1)),
    bytes String DEFAULT base64Decode(bytes_base64) CODEC(ZSTD(3)),
    bytes_base64 String EPHEMERAL
)
ENGINE = {engine}
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, exchange_id, sequence)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    ttl_only_drop_parts = 1;

-- Connection and subject stand here too, so that who-leaked-what needs no join.
CREATE TABLE IF NOT EXISTS {database}.findings {on_cluster}
(
    exchange_id UUID CODEC(ZSTD(1)),
    started_at DateTime64(6, 'UTC') COMMENT 'when the exchange began' CODEC(Delta, ZSTD(1)),
    sequence UInt32 COMMENT 'place in the exchange, from 0' CODEC(Delta, ZSTD(1)),
    connection LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    direction LowCardinality(String),
    detector LowCardinality(String),
    kind LowCardinality(String),
    channel LowCardinality(String),
    `start` UInt64 CODEC(T64, ZSTD(1)),
    `end` UInt64 CODEC(T64, ZSTD(1)),
    entropy Float64 CODEC(ZSTD(1)),
    fingerprint String CODEC(ZSTD(1)),
    masked String CODEC(ZSTD(1)),
    action LowCardinality(String),
    INDEX by_fingerprint fingerprint TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {engine}
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, exchange_id, sequence)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    ttl_only_drop_parts = 1;
