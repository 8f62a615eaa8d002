-- The queue: a row for each recipient that waits for a next hop.

-- Relays and drop directories by name; a row stays once it was made.
CREATE TABLE next_hop (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('relay', 'drop')),
  name TEXT NOT NULL,
  UNIQUE (kind, name)
) STRICT;

-- What never changes of an item. Its content is kept while the row stands; whoever deletes the row makes an orphan of it.
CREATE TABLE queue_item (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_id INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  -- Empty for the null path.
  reverse_path TEXT NOT NULL,
  recipient TEXT NOT NULL,
  is_smtp_utf8 INTEGER NOT NULL CHECK (is_smtp_utf8 IN (0, 1)),
  -- RFC 3461: words with commas, and the others as they were given. NULL: not given.
  notify TEXT,
  orcpt TEXT,
  ret TEXT CHECK (ret IN ('FULL', 'HDRS')),
  envid TEXT,
  -- The local address that sends it on; NULL for most.
  forwarded_for TEXT,
  created_at INTEGER NOT NULL,
  -- NULL leaves it to the schedule.
  expires_at INTEGER
) STRICT;
CREATE INDEX queue_item_by_content ON queue_item (content_id);
CREATE INDEX queue_item_by_trace ON queue_item (trace_id);

-- What changes with each attempt. Narrow: ten thousand of these are leased, put off and released in one go.
CREATE TABLE queue_state (
  queue_id INTEGER PRIMARY KEY REFERENCES queue_item (id) ON DELETE CASCADE,
  hop_id INTEGER NOT NULL REFERENCES next_hop (id),
  -- 0 waiting, 1 leased, 2 held.
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  -- Set while leased.
  leased_until INTEGER
) STRICT;
-- Of a hop, what is due: from the highest priority down, one range for each.
CREATE INDEX queue_state_due ON queue_state (hop_id, state, priority, next_attempt_at);

-- What the last attempt was answered with; written by attempts that did not end well.
CREATE TABLE queue_reply (
  queue_id INTEGER PRIMARY KEY REFERENCES queue_item (id) ON DELETE CASCADE,
  replied_at INTEGER NOT NULL,
  reply TEXT NOT NULL
) STRICT;
