-- Empty text and 0 stand for "none": the rows mirror core/job.hpp, which has no nulls either.

CREATE TABLE headway_schema (
  version    INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
) STRICT;

CREATE TABLE jobs (
  id            TEXT PRIMARY KEY,
  id_is_number  INTEGER NOT NULL,
  user_id       TEXT NOT NULL,
  project_id    TEXT NOT NULL,
  batch_id      TEXT NOT NULL,
  type          TEXT NOT NULL,
  tags          TEXT NOT NULL,    -- JSON array
  metadata      TEXT NOT NULL,    -- JSON object
  throttle      TEXT NOT NULL,    -- JSON object
  created_at    INTEGER NOT NULL, -- all times: ms since 1970
  status        TEXT NOT NULL,
  progress      REAL NOT NULL,
  message       TEXT NOT NULL,
  stage         TEXT NOT NULL,
  result        TEXT NOT NULL,    -- JSON
  error         TEXT NOT NULL,    -- JSON object
  attempt       INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,
  seq           INTEGER NOT NULL, -- of the last event; guards every write
  position      INTEGER NOT NULL, -- of the last event, in the log
  output_bytes  INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_newest ON jobs (created_at, id);
CREATE INDEX jobs_of_user ON jobs (user_id, created_at, id);
CREATE INDEX jobs_of_project ON jobs (project_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

CREATE TABLE log (
  position   INTEGER PRIMARY KEY,  -- 1, 2, 3 ... in commit order
  stream     TEXT NOT NULL,        -- "job:42"
  seq        INTEGER NOT NULL,     -- 1, 2, 3 ... within the stream
  kind       TEXT NOT NULL,
  event_id   BLOB NOT NULL UNIQUE, -- 16 bytes
  project_id TEXT NOT NULL,
  batch_id   TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  body       TEXT NOT NULL,        -- JSON, see event_body.hpp
  time       INTEGER NOT NULL,
  UNIQUE (stream, seq)
) STRICT;

CREATE TABLE log_head (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  position INTEGER NOT NULL
) STRICT;
INSERT INTO log_head VALUES (1, 0);

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  email      TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  hash       TEXT PRIMARY KEY, -- SHA-256 of the key, in hex
  name       TEXT NOT NULL,
  scope      TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
