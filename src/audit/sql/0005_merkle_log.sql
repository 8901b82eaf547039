-- The Merkle log: a leaf for each record of a log, in the order of the sequences, and the signed heads of the tree over
-- them. Neither expires, so that what did is still covered.
--
-- `record_hash` is the SHA-256 of the record's canonical text; everything in a row of `leaves` goes into the leaf's hash.
CREATE TABLE IF NOT EXISTS {database}.leaves {on_cluster}
(
    log_id UUID CODEC(ZSTD(1)),
    sequence UInt64 CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'exchange, approval, admin_change, or set_aside when ClickHouse refused the record',
    id String COMMENT 'of the exchange or approval; else empty' CODEC(ZSTD(1)),
    started_at DateTime64(6, 'UTC') COMMENT 'as in the record' CODEC(Delta, ZSTD(1)),
    record_hash FixedString(64) COMMENT 'hexadecimal' CODEC(ZSTD(1))
)
ENGINE = {engine}
ORDER BY (log_id, sequence)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS {database}.tree_heads {on_cluster}
(
    log_id UUID CODEC(ZSTD(1)),
    first_sequence UInt64 COMMENT 'the record of the first leaf' CODEC(ZSTD(1)),
    tree_size UInt64 CODEC(Delta, ZSTD(1)),
    root FixedString(64) COMMENT 'hexadecimal' CODEC(ZSTD(1)),
    signed_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    key_id LowCardinality(String),
    signature String COMMENT 'Ed25519, base64' CODEC(ZSTD(1))
)
ENGINE = {engine}
ORDER BY (log_id, tree_size)
SETTINGS {deduplication}, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
