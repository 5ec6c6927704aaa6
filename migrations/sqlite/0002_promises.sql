-- Queues with limits, uniqueness, dependencies, expiry, idempotency keys, operations on many jobs, leaders; counts that are kept.
-- Differs from postgres: as 0001, and counts are kept in place by row triggers: SQLite has one writer, so nobody waits for them.

ALTER TABLE jobs ADD COLUMN expires_at INTEGER;
ALTER TABLE jobs ADD COLUMN concurrency_key TEXT;
-- What no two jobs may have that hold it. `unique_finals`: in which final states a job goes on holding it; 1 completed,
-- 2 discarded, 4 cancelled.
ALTER TABLE jobs ADD COLUMN unique_key TEXT;
ALTER TABLE jobs ADD COLUMN unique_finals INTEGER NOT NULL DEFAULT 0;
-- The job that enqueued it, and which of that job's requests it was, so that a replayed attempt finds it again.
ALTER TABLE jobs ADD COLUMN parent_id BLOB;
ALTER TABLE jobs ADD COLUMN child_key TEXT;
-- How many of the jobs that it comes after have not ended yet, and what becomes of it if one of them fails.
ALTER TABLE jobs ADD COLUMN pending_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN on_failure TEXT CHECK (on_failure IN ('cancel', 'run'));

-- A claim goes from queue to queue and takes from each what comes first in it.
DROP INDEX jobs_available;
CREATE INDEX jobs_available ON jobs (queue, priority, run_at, id) WHERE state = 'available';
DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (run_at) WHERE state IN ('scheduled', 'retryable') AND pending_count = 0;
CREATE INDEX jobs_running_in_queue ON jobs (queue, concurrency_key) WHERE state = 'running';
CREATE INDEX jobs_expiring ON jobs (expires_at)
    WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'available', 'retryable');
-- What is pruned next.
CREATE INDEX jobs_finished ON jobs (queue, state, finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
    WHERE unique_key IS NOT NULL
        AND (finished_at IS NULL
            OR (state = 'completed' AND unique_finals & 1 <> 0)
            OR (state = 'discarded' AND unique_finals & 2 <> 0)
            OR (state = 'cancelled' AND unique_finals & 4 <> 0));
CREATE UNIQUE INDEX jobs_children ON jobs (parent_id, child_key) WHERE parent_id IS NOT NULL;

-- One row for each name that was ever used; what is null is not limited, or is as the daemon's settings say.
CREATE TABLE queues (
    name                TEXT    NOT NULL PRIMARY KEY,
    paused_at           INTEGER,
    max_running         INTEGER CHECK (max_running > 0),
    max_running_per_key INTEGER CHECK (max_running_per_key > 0),
    rate_limit          INTEGER CHECK (rate_limit > 0),
    rate_period_ms      INTEGER CHECK (rate_period_ms > 0),
    keep_completed_ms   INTEGER,
    keep_discarded_ms   INTEGER,
    keep_cancelled_ms   INTEGER,
    CHECK ((rate_limit IS NULL) = (rate_period_ms IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO queues (name) SELECT DISTINCT queue FROM jobs;

-- How many jobs of a queue with a rate started when; nothing older than its period.
CREATE TABLE queue_starts (
    queue TEXT    NOT NULL REFERENCES queues (name) ON DELETE CASCADE,
    at    INTEGER NOT NULL,
    jobs  INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_starts_by_time ON queue_starts (queue, at);

-- How many jobs there are: kept by triggers, because nothing that is shown may scan `jobs`.
CREATE TABLE queue_counts (
    queue TEXT    NOT NULL,
    state TEXT    NOT NULL,
    jobs  INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, count(*) FROM jobs GROUP BY queue, state;

CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs BEGIN
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_count_update AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
    UPDATE queue_counts SET jobs = jobs - 1 WHERE queue = OLD.queue AND state = OLD.state;
    INSERT INTO queue_counts (queue, state, jobs) VALUES (NEW.queue, NEW.state, 1)
    ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs BEGIN
    UPDATE queue_counts SET jobs = jobs - 1 WHERE queue = OLD.queue AND state = OLD.state;
END;

-- Which job comes after which. A row is settled when the other has ended; it stays, so that people can see it.
CREATE TABLE job_dependencies (
    job_id BLOB    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    on_id  BLOB    NOT NULL,
    is_settled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, on_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependencies_open ON job_dependencies (on_id, job_id) WHERE is_settled = 0;

-- Jobs that ended and had more dependents than the finishing transaction could see to: upkeep goes on.
CREATE TABLE dependencies_due (
    on_id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What was answered to a request, for a day, so that the same request gets the same answer.
CREATE TABLE idempotency_keys (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint TEXT    NOT NULL,
    answer      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Cancels and retries of all jobs that match a filter, done step by step.
CREATE TABLE operations (
    id          BLOB    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL CHECK (kind IN ('cancel', 'retry')),
    filter      TEXT    NOT NULL,
    cursor      BLOB,
    seen        INTEGER NOT NULL DEFAULT 0,
    changed     INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX operations_open ON operations (created_at) WHERE finished_at IS NULL;

-- Who does what must be done by one of all workers. The term goes up with each change of hands.
CREATE TABLE leaders (
    role        TEXT    NOT NULL PRIMARY KEY,
    worker_id   BLOB    NOT NULL,
    term        INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which database this is: what is kept outside it, such as artifacts, must never be taken for another one's.
CREATE TABLE installation (
    id BLOB NOT NULL
) STRICT;
INSERT INTO installation (id) VALUES (randomblob(16));
