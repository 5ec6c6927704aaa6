-- Queues with limits, uniqueness, dependencies, expiry, idempotency keys, operations on many jobs, leaders; counts that are kept.
-- Differs from sqlite: as 0001, and counts are kept as changes that upkeep adds up: a row for each queue and state would make
-- every commit wait for the one before it.

ALTER TABLE jobs
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN concurrency_key text,
    -- What no two jobs may have that hold it. `unique_finals`: in which final states a job goes on holding it; 1 completed,
    -- 2 discarded, 4 cancelled.
    ADD COLUMN unique_key text,
    ADD COLUMN unique_finals bigint NOT NULL DEFAULT 0,
    -- The job that enqueued it, and which of that job's requests it was, so that a replayed attempt finds it again.
    ADD COLUMN parent_id uuid,
    ADD COLUMN child_key text,
    -- How many of the jobs that it comes after have not ended yet, and what becomes of it if one of them fails.
    ADD COLUMN pending_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN on_failure text CHECK (on_failure IN ('cancel', 'run'));

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
    name                text        NOT NULL PRIMARY KEY,
    paused_at           timestamptz,
    max_running         bigint      CHECK (max_running > 0),
    max_running_per_key bigint      CHECK (max_running_per_key > 0),
    rate_limit          bigint      CHECK (rate_limit > 0),
    rate_period_ms      bigint      CHECK (rate_period_ms > 0),
    keep_completed_ms   bigint,
    keep_discarded_ms   bigint,
    keep_cancelled_ms   bigint,
    CHECK ((rate_limit IS NULL) = (rate_period_ms IS NULL))
);
INSERT INTO queues (name) SELECT DISTINCT queue FROM jobs;

-- How many jobs of a queue with a rate started when; nothing older than its period.
CREATE TABLE queue_starts (
    queue text        NOT NULL REFERENCES queues (name) ON DELETE CASCADE,
    at    timestamptz NOT NULL,
    jobs  bigint      NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX queue_starts_by_time ON queue_starts (queue, at);

-- How many jobs there are: kept by triggers, because nothing that is shown may scan `jobs`.
CREATE TABLE queue_counts (
    queue text   NOT NULL,
    state text   NOT NULL,
    jobs  bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, count(*) FROM jobs GROUP BY queue, state;

CREATE FUNCTION jobs_count_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, count(*) FROM added GROUP BY queue, state;
    RETURN NULL;
END $$;
CREATE FUNCTION jobs_count_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queue_counts (queue, state, jobs)
    SELECT queue, state, sum(change)
    FROM (
        SELECT queue, state, 1 AS change FROM added
        UNION ALL
        SELECT queue, state, -1 FROM gone
    ) AS changes
    GROUP BY queue, state
    HAVING sum(change) <> 0;
    RETURN NULL;
END $$;
CREATE FUNCTION jobs_count_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queue_counts (queue, state, jobs) SELECT queue, state, -count(*) FROM gone GROUP BY queue, state;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_count_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_count_insert();
CREATE TRIGGER jobs_count_update AFTER UPDATE ON jobs REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_count_update();
CREATE TRIGGER jobs_count_delete AFTER DELETE ON jobs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_count_delete();

-- Which job comes after which. A row is settled when the other has ended; it stays, so that people can see it.
CREATE TABLE job_dependencies (
    job_id uuid    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    on_id  uuid    NOT NULL,
    is_settled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (job_id, on_id)
);
CREATE INDEX job_dependencies_open ON job_dependencies (on_id, job_id) WHERE NOT is_settled;

-- Jobs that ended and had more dependents than the finishing transaction could see to: upkeep goes on.
CREATE TABLE dependencies_due (
    on_id uuid NOT NULL PRIMARY KEY
);

-- What was answered to a request, for a day, so that the same request gets the same answer.
CREATE TABLE idempotency_keys (
    key         text        NOT NULL PRIMARY KEY,
    fingerprint text        NOT NULL,
    answer      text        NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Cancels and retries of all jobs that match a filter, done step by step.
CREATE TABLE operations (
    id          uuid        NOT NULL PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('cancel', 'retry')),
    filter      text        NOT NULL,
    cursor      uuid,
    seen        bigint      NOT NULL DEFAULT 0,
    changed     bigint      NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX operations_open ON operations (created_at) WHERE finished_at IS NULL;

-- Who does what must be done by one of all workers. The term goes up with each change of hands.
CREATE TABLE leaders (
    role        text        NOT NULL PRIMARY KEY,
    worker_id   uuid        NOT NULL,
    term        bigint      NOT NULL,
    lease_until timestamptz NOT NULL
);

-- Which database this is: what is kept outside it, such as artifacts, must never be taken for another one's.
CREATE TABLE installation (
    id uuid NOT NULL
);
INSERT INTO installation (id) VALUES (gen_random_uuid());
