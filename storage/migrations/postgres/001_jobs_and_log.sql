-- Empty text and 0 stand for "none": the rows mirror core/job.hpp, which has no nulls either.
-- JSON is text, not jsonb: the order of keys is the client's. Ids sort by bytes, as in every engine.

CREATE TABLE headway_schema (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- A job's row is written over and over: leave room in the page, so that an update touches no index.
CREATE TABLE jobs (
  id            text COLLATE "C" PRIMARY KEY,
  id_is_number  integer NOT NULL,
  user_id       text COLLATE "C" NOT NULL,
  project_id    text COLLATE "C" NOT NULL,
  batch_id      text COLLATE "C" NOT NULL,
  type          text NOT NULL,
  tags          text NOT NULL,   -- JSON array
  metadata      text NOT NULL,   -- JSON object
  throttle      text NOT NULL,   -- JSON object
  created_at    bigint NOT NULL, -- all times: ms since 1970
  status        text COLLATE "C" NOT NULL,
  progress      double precision NOT NULL,
  message       text NOT NULL,
  stage         text NOT NULL,
  result        text NOT NULL,   -- JSON
  error         text NOT NULL,   -- JSON object
  attempt       bigint NOT NULL,
  started_at    bigint NOT NULL,
  ended_at      bigint NOT NULL,
  seq           bigint NOT NULL, -- of the last event; guards every write
  position      bigint NOT NULL, -- of the last event, in the log
  output_bytes  bigint NOT NULL,
  updated_at    bigint NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX jobs_newest ON jobs (created_at, id);
CREATE INDEX jobs_of_user ON jobs (user_id, created_at, id);
CREATE INDEX jobs_of_project ON jobs (project_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

CREATE TABLE log (
  position   bigint PRIMARY KEY,   -- 1, 2, 3 ... in commit order
  stream     text COLLATE "C" NOT NULL, -- "job:42"
  seq        bigint NOT NULL,      -- 1, 2, 3 ... within the stream
  kind       text NOT NULL,
  event_id   uuid NOT NULL UNIQUE,
  project_id text COLLATE "C" NOT NULL,
  batch_id   text COLLATE "C" NOT NULL,
  user_id    text COLLATE "C" NOT NULL,
  body       text NOT NULL,        -- JSON, see event_body.hpp
  time       bigint NOT NULL,
  UNIQUE (stream, seq)
);

-- One row; its lock is what makes commit order the order of positions.
CREATE TABLE log_head (
  one      integer PRIMARY KEY CHECK (one = 1),
  position bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head VALUES (1, 0);

CREATE TABLE users (
  id         text COLLATE "C" PRIMARY KEY,
  name       text NOT NULL,
  email      text NOT NULL,
  created_at bigint NOT NULL
);

CREATE TABLE api_keys (
  hash       text COLLATE "C" PRIMARY KEY, -- SHA-256 of the key, in hex
  name       text NOT NULL,
  scope      text NOT NULL,
  created_at bigint NOT NULL
);
