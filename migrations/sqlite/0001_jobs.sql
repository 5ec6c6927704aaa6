-- The queue. Times are whole microseconds since the Unix epoch; ids are the 16 bytes of a UUID.
-- Differs from postgres: no native time, uuid or json types, and no autovacuum to set.

CREATE TABLE jobs (
    id                  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    task                TEXT    NOT NULL,
    queue               TEXT    NOT NULL,
    priority            INTEGER NOT NULL,
    state               TEXT    NOT NULL CHECK (state IN
        ('scheduled', 'available', 'running', 'retryable', 'completed', 'discarded', 'cancelled')),
    args                TEXT    NOT NULL,
    output              TEXT,
    error_kind          TEXT,
    error_message       TEXT,
    attempt             INTEGER NOT NULL DEFAULT 0,
    max_attempts        INTEGER NOT NULL,
    timeout_ms          INTEGER,
    backoff             TEXT    NOT NULL,
    lease               INTEGER NOT NULL DEFAULT 0,
    worker_id           BLOB,
    crash_count         INTEGER NOT NULL DEFAULT 0,
    host_fault_count    INTEGER NOT NULL DEFAULT 0,
    cancel_requested_at INTEGER,
    percent_complete    INTEGER,
    task_step           INTEGER,
    status_info         TEXT,
    tags                TEXT    NOT NULL DEFAULT '[]',
    metadata            TEXT    NOT NULL DEFAULT '{}',
    plugin_digest       TEXT,
    created_at          INTEGER NOT NULL,
    run_at              INTEGER NOT NULL,
    started_at          INTEGER,
    finished_at         INTEGER,
    CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'discarded', 'cancelled'))),
    CHECK ((worker_id IS NOT NULL) = (state = 'running')),
    CHECK ((error_kind IS NULL) = (error_message IS NULL))
) STRICT;

-- What a claim takes next, in its order.
CREATE INDEX jobs_available ON jobs (priority, run_at, id) WHERE state = 'available';
-- What becomes due next.
CREATE INDEX jobs_waiting ON jobs (run_at) WHERE state IN ('scheduled', 'retryable');
-- What a worker holds.
CREATE INDEX jobs_running ON jobs (worker_id) WHERE state = 'running';

-- How far a job that runs for a while is; a short one never gets a row. Apart from `jobs`, so that reporting rewrites no wide row.
CREATE TABLE job_progress (
    job_id           BLOB    NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    lease            INTEGER NOT NULL,
    percent_complete INTEGER,
    task_step        INTEGER,
    status_info      TEXT
) STRICT, WITHOUT ROWID;

-- A job's history, append only. `seq` counts from 1 within the job, so that a reader can go on where it stopped.
CREATE TABLE job_events (
    job_id           BLOB    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq              INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('state', 'step')),
    state            TEXT,
    reason           TEXT,
    percent_complete INTEGER,
    task_step        INTEGER,
    status_info      TEXT,
    PRIMARY KEY (job_id, seq),
    CHECK ((kind = 'state') = (state IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- One row for each attempt that ended. The lease, not the number, tells attempts apart: see the contract on snooze.
CREATE TABLE job_attempts (
    job_id        BLOB    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lease         INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    worker_id     BLOB    NOT NULL,
    plugin_digest TEXT,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL,
    error_kind    TEXT,
    error_message TEXT,
    PRIMARY KEY (job_id, lease)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_logs (
    job_id  BLOB    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stream  TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_artifacts (
    job_id       BLOB    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    sha256       TEXT    NOT NULL,
    lease        INTEGER NOT NULL,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_checkpoints (
    job_id BLOB    NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    lease  INTEGER NOT NULL,
    data   BLOB    NOT NULL
) STRICT;

-- One row for each run of a daemon. When `lease_until` has passed, the others may take its jobs.
CREATE TABLE workers (
    id           BLOB    NOT NULL PRIMARY KEY,
    host         TEXT    NOT NULL,
    pid          INTEGER NOT NULL,
    version      TEXT    NOT NULL,
    started_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL
) STRICT;
