-- The right to erase. A leaf vouches for a body by its digest, salted so that a short body cannot be guessed from it: body
-- and salt can go, `tombstone` keeps the digest, and the leaf stays true. Rows from before have no salt; a frame of them
-- can be erased as well, under its plain digest.
ALTER TABLE {database}.frames {on_cluster}
    ADD COLUMN IF NOT EXISTS salt String COMMENT '32 hexadecimal digits, the same for all frames of an exchange' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS tombstone String COMMENT 'digest of an erased body, else empty' CODEC(ZSTD(1));

ALTER TABLE {database}.approvals {on_cluster}
    ADD COLUMN IF NOT EXISTS salt String COMMENT '32 hexadecimal digits' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS tombstone String COMMENT 'digest of an erased preview, else empty' CODEC(ZSTD(1));

-- Rewritten parts are on the disk at once (see fsync in the tables' settings), so what they replace need not stay for long.
ALTER TABLE {database}.frames {on_cluster} MODIFY SETTING old_parts_lifetime = 30;

ALTER TABLE {database}.approvals {on_cluster} MODIFY SETTING old_parts_lifetime = 30;
