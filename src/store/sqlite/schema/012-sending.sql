-- Settings of single IP ranges, as text; which names there are and what their values mean is the accounts room's.
CREATE TABLE ip_range_setting (
  range_name TEXT NOT NULL COLLATE NOCASE REFERENCES ip_range (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (range_name, name)
) STRICT, WITHOUT ROWID;

-- What an account, and the clients of a range that need not log in, have submitted on one day: the day of the last message,
-- counted from 1970-01-01 in the server's own zone. Whoever submits on another day begins anew.
CREATE TABLE account_sending (
  account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL
) STRICT;
CREATE TABLE ip_range_sending (
  range_name TEXT PRIMARY KEY COLLATE NOCASE REFERENCES ip_range (name) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
