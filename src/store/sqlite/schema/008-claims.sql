-- Claims: what a delivery has taken for itself, so that the same message to the same recipient is not stored a second time.
CREATE TABLE claim (
  -- The first 16 octets of a hash; what it is made of is the transfer room's.
  key BLOB PRIMARY KEY CHECK (length(key) = 16),
  expires_at INTEGER NOT NULL,
  -- The message that was stored.
  trace_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_by_expiry ON claim (expires_at);
