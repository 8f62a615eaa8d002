-- Work on the queue: leases, attempts, holds of hops, and what hops have taken.

-- Whether a report to the sender hits nobody else: he had logged in, or is in a trusted range.
ALTER TABLE queue_item ADD COLUMN is_submitted INTEGER NOT NULL DEFAULT 0 CHECK (is_submitted IN (0, 1));

-- What an item is looked for by stands beside what changes of it, so that each question is a range of one narrow index.
CREATE TABLE queue_state_new (
  queue_id INTEGER PRIMARY KEY REFERENCES queue_item (id) ON DELETE CASCADE,
  hop_id INTEGER NOT NULL REFERENCES next_hop (id),
  content_id INTEGER NOT NULL,
  -- 0 waiting, 1 leased, 2 held.
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  -- Set while leased.
  leased_until INTEGER,
  created_at INTEGER NOT NULL,
  -- NULL leaves it to the schedule.
  expires_at INTEGER,
  -- Whether the sender has been told that it takes long.
  is_delay_told INTEGER NOT NULL DEFAULT 0 CHECK (is_delay_told IN (0, 1))
) STRICT;
INSERT INTO queue_state_new (queue_id, hop_id, content_id, state, priority, attempts, next_attempt_at, leased_until,
  created_at, expires_at)
SELECT queue_id, hop_id, content_id, state, priority, attempts, next_attempt_at, leased_until, created_at, expires_at
FROM queue_state JOIN queue_item ON queue_item.id = queue_id;
DROP TABLE queue_state;
ALTER TABLE queue_state_new RENAME TO queue_state;

DROP INDEX queue_item_by_content;
ALTER TABLE queue_item DROP COLUMN content_id;
ALTER TABLE queue_item DROP COLUMN created_at;
ALTER TABLE queue_item DROP COLUMN expires_at;

-- Of a hop, what is due: from the highest priority down, one range for each.
CREATE INDEX queue_state_due ON queue_state (hop_id, state, priority, next_attempt_at);
-- Of a message, what is due for a hop; and whether any item needs a content.
CREATE INDEX queue_state_by_content ON queue_state (content_id, hop_id, state, next_attempt_at);
-- Whose sender has to be told that it takes long. Leasing leaves it alone.
CREATE INDEX queue_state_delay ON queue_state (created_at) WHERE is_delay_told = 0;
-- What expires by the schedule, and what by its own time.
CREATE INDEX queue_state_age ON queue_state (created_at) WHERE state = 0 AND expires_at IS NULL;
CREATE INDEX queue_state_expiry ON queue_state (expires_at) WHERE expires_at IS NOT NULL;

-- Hops that an administrator or their own trouble has stopped.
CREATE TABLE hop_hold (
  hop_id INTEGER PRIMARY KEY REFERENCES next_hop (id),
  held_by TEXT NOT NULL CHECK (held_by IN ('administrator', 'trouble')),
  reason TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT;

-- What a hop has taken, by day since 1970-01-01 in the server's zone.
CREATE TABLE hop_use (
  hop_id INTEGER NOT NULL REFERENCES next_hop (id),
  day INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  recipients INTEGER NOT NULL,
  PRIMARY KEY (hop_id, day)
) STRICT, WITHOUT ROWID;
