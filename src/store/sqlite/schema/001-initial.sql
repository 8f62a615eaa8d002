-- The first schema. Never edited once landed: what changes comes as the next numbered step.
--
-- Shapes that decide the speed: whatever changes (flags, mod-sequences, counters) stands in narrow rows, octets and long
-- texts in rows that are written once; no reference counts. Names of mailboxes are JSON arrays of strings, addresses and
-- login names text that the accounts room has normalised, octets always BLOB. Times are Unix milliseconds unless said.

-- One row of the store's own counters.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  created_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  -- Content ids below this one may be in use; they are reserved in blocks and never given twice.
  content_ids_reserved INTEGER NOT NULL,
  -- The last UIDVALIDITY given to any mailbox; the next one is higher (RFC 3501 section 2.3.1.1).
  last_uid_validity INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 0, 1, 0);

-- Directory -----------------------------------------------------------------------------------------------------------

CREATE TABLE domain (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  -- An address; NULL refuses mail for unknown addresses.
  catch_all TEXT
) STRICT;

-- Further names of a domain. That no name stands both here and in domain is the writing job's care.
CREATE TABLE domain_alias (
  name TEXT PRIMARY KEY,
  domain_id INTEGER NOT NULL REFERENCES domain (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX domain_alias_by_domain ON domain_alias (domain_id);

CREATE TABLE account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id INTEGER NOT NULL REFERENCES domain (id),
  local_part TEXT NOT NULL,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  -- NULL: no limit.
  quota_octets INTEGER CHECK (quota_octets >= 0),
  -- A PHC string.
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (domain_id, local_part)
) STRICT;

-- Further names that log in as an account.
CREATE TABLE login_name (
  name TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX login_name_by_account ON login_name (account_id);

CREATE TABLE alias (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id INTEGER NOT NULL REFERENCES domain (id),
  local_part TEXT NOT NULL,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  UNIQUE (domain_id, local_part)
) STRICT;

CREATE TABLE alias_target (
  alias_id INTEGER NOT NULL REFERENCES alias (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (alias_id, position)
) STRICT, WITHOUT ROWID;

-- Mailboxes -----------------------------------------------------------------------------------------------------------

-- A mailbox with its kept counters. Ids are never given twice.
CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  -- A JSON array of strings, as JSON.stringify writes it: ["INBOX"].
  name TEXT NOT NULL,
  -- Without the backslash (RFC 6154 section 2).
  special_use TEXT,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL DEFAULT 1,
  highest_modseq INTEGER NOT NULL DEFAULT 1,
  first_recent_uid INTEGER NOT NULL DEFAULT 1,
  messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  octets INTEGER NOT NULL DEFAULT 0,
  pop3_octets INTEGER NOT NULL DEFAULT 0,
  -- Rows in expunged, and the mod-sequence up to which they are no longer all there.
  expunged_kept INTEGER NOT NULL DEFAULT 0,
  expunged_floor INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, name)
) STRICT;

-- Keywords by the position of their bit in an entry: 0 to 49 in keywords_low, 50 to 99 in keywords_high.
CREATE TABLE mailbox_keyword (
  mailbox_id INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 99),
  name TEXT NOT NULL,
  PRIMARY KEY (mailbox_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
  account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  -- As in mailbox; the mailbox need not exist.
  name TEXT NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;

-- A content in a mailbox. Narrow, since STORE and COPY rewrite thousands of these at once; sizes are the content's.
CREATE TABLE entry (
  mailbox_id INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  content_id INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  -- Bits of FLAG in contract/mailboxes.ts.
  flags INTEGER NOT NULL,
  keywords_low INTEGER NOT NULL,
  keywords_high INTEGER NOT NULL,
  internal_at INTEGER NOT NULL,
  zone_minutes INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  pop3_octets INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_by_modseq ON entry (mailbox_id, modseq);
CREATE INDEX entry_by_content ON entry (content_id);

-- UIDs that are gone (RFC 7162 section 3.2.10), the newest of each mailbox.
CREATE TABLE expunged (
  mailbox_id INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, modseq, uid)
) STRICT, WITHOUT ROWID;

-- Contents ------------------------------------------------------------------------------------------------------------

-- A sealed content.
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  octets INTEGER NOT NULL,
  pop3_octets INTEGER NOT NULL,
  return_path_octets INTEGER NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  -- The message's trace; NULL for contents that no delivery made.
  trace_id TEXT
) STRICT;

-- Octets, in pieces of 256 KiB (the last one shorter). The id is the content's id * 16384 + the piece's number from 0, so
-- that the rows of a content lie side by side in a tree of integers.
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY,
  crc32 INTEGER NOT NULL,
  octets BLOB NOT NULL
) STRICT;

-- What the MIME walker found, as wire/mime/encoding.ts writes it, its version within. Rows may be dropped at any time and
-- are made anew.
CREATE TABLE derived (
  content_id INTEGER PRIMARY KEY,
  envelope BLOB NOT NULL,
  structure BLOB NOT NULL
) STRICT;

-- Contents that are being written; what stands here when the store opens is swept.
CREATE TABLE draft (
  content_id INTEGER PRIMARY KEY
) STRICT;

-- Contents that lost an entry (or never got one), to be looked at and deleted later when no entry refers to them.
CREATE TABLE orphan (
  content_id INTEGER PRIMARY KEY,
  -- The writer's batch that put it here; 0 for those of an earlier process.
  since INTEGER NOT NULL
) STRICT;

-- Trace ---------------------------------------------------------------------------------------------------------------

-- Trace ids begin with the time (base/ids.ts), so this is in order of age.
CREATE TABLE trace_message (
  trace_id TEXT PRIMARY KEY,
  accepted_at INTEGER NOT NULL,
  reverse_path TEXT NOT NULL,
  -- A JSON array of strings.
  recipients TEXT NOT NULL,
  octets INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose trace is found under which address: reverse path and recipients, normalised.
CREATE TABLE trace_address (
  address TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  PRIMARY KEY (address, trace_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_event (
  trace_id TEXT NOT NULL,
  -- From 0, in the order of writing.
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  -- A JSON object.
  fields TEXT NOT NULL,
  PRIMARY KEY (trace_id, number)
) STRICT, WITHOUT ROWID;
