-- Which grant let a request through without asking anybody. Empty in rows from before, and where somebody decided. The id is
-- not among what a leaf vouches for; the approval's reason, which is, names the approval that the grant was given with.
ALTER TABLE {database}.exchanges {on_cluster}
    ADD COLUMN IF NOT EXISTS approval_grant_id LowCardinality(String) COMMENT 'grant that let it through, else empty' AFTER approval_held_us;

ALTER TABLE {database}.approvals {on_cluster}
    ADD COLUMN IF NOT EXISTS grant_id LowCardinality(String) COMMENT 'grant that it was used under, else empty' AFTER reason;
