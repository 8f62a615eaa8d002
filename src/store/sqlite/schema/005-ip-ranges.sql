-- IP ranges: which remote addresses may use what. The two that hMailServer makes are there from the start, and stay.
CREATE TABLE ip_range (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  priority INTEGER NOT NULL,
  has_smtp INTEGER NOT NULL,
  has_pop3 INTEGER NOT NULL,
  has_imap INTEGER NOT NULL,
  needs_tls INTEGER NOT NULL,
  is_trusted INTEGER NOT NULL,
  is_built_in INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ip_range_address (
  range_name TEXT NOT NULL COLLATE NOCASE REFERENCES ip_range (name) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  addresses TEXT NOT NULL,
  PRIMARY KEY (range_name, position)
) STRICT, WITHOUT ROWID;

INSERT INTO ip_range VALUES ('Internet', 10, 1, 1, 1, 0, 0, 1), ('My computer', 30, 1, 1, 1, 0, 1, 1);
INSERT INTO ip_range_address VALUES
  ('Internet', 0, '0.0.0.0/0'),
  ('Internet', 1, '::/0'),
  ('My computer', 0, '127.0.0.0/8'),
  ('My computer', 1, '::1');
