-- When an entry came into its mailbox (RFC 8514), and what a mailbox is called for ever (RFC 8474).

-- Unix milliseconds; NULL for entries from before this step, of which nobody knows it. A column without a default rewrites no row.
ALTER TABLE entry ADD COLUMN saved_at INTEGER;

-- 16 random octets, given once: ids and UIDVALIDITY of a restored copy may be given a second time, these are not.
ALTER TABLE mailbox ADD COLUMN object_id BLOB NOT NULL DEFAULT x'' CHECK (length(object_id) IN (0, 16));
UPDATE mailbox SET object_id = randomblob(16);
