-- What accounts answer by themselves while their owners are away. Whom they have answered are claims.

CREATE TABLE vacation (
  account_id INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  -- NULL: made of the subject that is answered.
  subject TEXT,
  text TEXT NOT NULL,
  -- NULL: no bound.
  starts_at INTEGER,
  ends_at INTEGER,
  -- A sender is answered once within so many days.
  days_between INTEGER NOT NULL CHECK (days_between > 0)
) STRICT;
