-- Secrets that have to be had back as they were given, sealed by the key beside the database (sqlite/sealing.ts).
CREATE TABLE secret (
  purpose TEXT NOT NULL,
  -- `#` and the account's id, or a name.
  owner TEXT NOT NULL,
  account_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
  sealed BLOB NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (purpose, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_by_account ON secret (account_id) WHERE account_id IS NOT NULL;
