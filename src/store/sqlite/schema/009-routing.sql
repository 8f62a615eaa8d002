-- Routing: plus addressing, routes, distribution lists, forwards, rules.

-- What separates an address from its detail (a+news@example.org); NULL: nothing does.
ALTER TABLE domain ADD COLUMN plus_separator TEXT DEFAULT '+' CHECK (length(plus_separator) = 1);

CREATE TABLE route (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  -- From 1 without gaps, which is the writing jobs' care.
  position INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  is_open_to_anyone INTEGER NOT NULL CHECK (is_open_to_anyone IN (0, 1)),
  target_kind TEXT NOT NULL CHECK (target_kind IN ('local', 'relay', 'drop', 'refuse')),
  -- An address, a relay's name, a drop directory's name, a text of a refusal (NULL: the usual one).
  target TEXT CHECK (target IS NOT NULL OR target_kind = 'refuse')
) STRICT;

CREATE TABLE route_pattern (
  route_id INTEGER NOT NULL REFERENCES route (id) ON DELETE CASCADE,
  is_of_sender INTEGER NOT NULL CHECK (is_of_sender IN (0, 1)),
  position INTEGER NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY (route_id, is_of_sender, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE distribution_list (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  domain_id INTEGER NOT NULL REFERENCES domain (id),
  local_part TEXT NOT NULL,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  posters TEXT NOT NULL CHECK (posters IN ('anyone', 'members', 'submitters', 'addresses')),
  -- Rows of distribution_list_member; kept, since each RCPT reads it.
  members INTEGER NOT NULL DEFAULT 0,
  UNIQUE (domain_id, local_part)
) STRICT;

CREATE TABLE distribution_list_member (
  list_id INTEGER NOT NULL REFERENCES distribution_list (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  PRIMARY KEY (list_id, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE distribution_list_poster (
  list_id INTEGER NOT NULL REFERENCES distribution_list (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  PRIMARY KEY (list_id, address)
) STRICT, WITHOUT ROWID;

-- Where an account's mail goes on to.
CREATE TABLE forward (
  account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  keeps_copy INTEGER NOT NULL CHECK (keeps_copy IN (0, 1)),
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1))
) STRICT;

CREATE TABLE forward_target (
  account_id INTEGER NOT NULL REFERENCES forward (account_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (account_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- NULL: a rule for all.
  account_id INTEGER REFERENCES account (id) ON DELETE CASCADE,
  name TEXT NOT NULL COLLATE NOCASE,
  -- From 1 without gaps within the account, or among those for all.
  position INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  matches TEXT NOT NULL CHECK (matches IN ('all', 'any')),
  -- JSON arrays of RuleCondition and RuleAction (contract/routing.ts), checked before they are written.
  conditions TEXT NOT NULL,
  actions TEXT NOT NULL,
  ends_rules INTEGER NOT NULL CHECK (ends_rules IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX rule_by_name ON rule (ifnull(account_id, 0), name);
CREATE INDEX rule_by_account ON rule (account_id, position);
