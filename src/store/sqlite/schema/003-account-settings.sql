-- Settings of single accounts, as text; which names there are and what their values mean is the accounts room's.

CREATE TABLE account_setting (
  account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
