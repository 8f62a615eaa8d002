-- Retention: when POP3 first fetched a message, and since when a message waits for its end in the mailbox of those deleted.

-- Unix milliseconds; NULL for most. Copies of an entry begin without either. Columns without a default rewrite no row.
ALTER TABLE entry ADD COLUMN fetched_at INTEGER;
ALTER TABLE entry ADD COLUMN retained_at INTEGER;
CREATE INDEX entry_by_fetched ON entry (mailbox_id, fetched_at, uid) WHERE fetched_at IS NOT NULL;
CREATE INDEX entry_by_retained ON entry (mailbox_id, retained_at, uid) WHERE retained_at IS NOT NULL;

-- Kept counters of the entries whose retained_at is set: they are no part of the quota.
ALTER TABLE mailbox ADD COLUMN retained INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN retained_octets INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mailbox_retaining ON mailbox (account_id, retained, retained_octets) WHERE retained > 0;
