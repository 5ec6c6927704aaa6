-- The queue.
-- Differs from sqlite: native uuid, timestamptz and boolean expressions; autovacuum set for a table whose rows all change state.

CREATE TABLE jobs (
    id                  uuid        NOT NULL PRIMARY KEY,
    task                text        NOT NULL,
    queue               text        NOT NULL,
    priority            bigint      NOT NULL,
    state               text        NOT NULL CHECK (state IN
        ('scheduled', 'available', 'running', 'retryable', 'completed', 'discarded', 'cancelled')),
    args                text        NOT NULL,
    output              text,
    error_kind          text,
    error_message       text,
    attempt             bigint      NOT NULL DEFAULT 0,
    max_attempts        bigint      NOT NULL,
    timeout_ms          bigint,
    backoff             text        NOT NULL,
    lease               bigint      NOT NULL DEFAULT 0,
    worker_id           uuid,
    crash_count         bigint      NOT NULL DEFAULT 0,
    host_fault_count    bigint      NOT NULL DEFAULT 0,
    cancel_requested_at timestamptz,
    percent_complete    bigint,
    task_step           bigint,
    status_info         text,
    tags                text        NOT NULL DEFAULT '[]',
    metadata            text        NOT NULL DEFAULT '{}',
    plugin_digest       text,
    created_at          timestamptz NOT NULL,
    run_at              timestamptz NOT NULL,
    started_at          timestamptz,
    finished_at         timestamptz,
    CHECK ((finished_at IS NOT NULL) = (state IN ('completed', 'discarded', 'cancelled'))),
    CHECK ((worker_id IS NOT NULL) = (state = 'running')),
    CHECK ((error_kind IS NULL) = (error_message IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- What a claim takes next, in its order.
CREATE INDEX jobs_available ON jobs (priority, run_at, id) WHERE state = 'available';
-- What becomes due next.
CREATE INDEX jobs_waiting ON jobs (run_at) WHERE state IN ('scheduled', 'retryable');
-- What a worker holds.
CREATE INDEX jobs_running ON jobs (worker_id) WHERE state = 'running';

-- How far a job that runs for a while is; a short one never gets a row. Apart from `jobs`, so that reporting rewrites no wide row.
CREATE TABLE job_progress (
    job_id           uuid   NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    lease            bigint NOT NULL,
    percent_complete bigint,
    task_step        bigint,
    status_info      text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- A job's history, append only. `seq` counts from 1 within the job, so that a reader can go on where it stopped.
CREATE TABLE job_events (
    job_id           uuid        NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq              bigint      NOT NULL,
    at               timestamptz NOT NULL,
    attempt          bigint      NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('state', 'step')),
    state            text,
    reason           text,
    percent_complete bigint,
    task_step        bigint,
    status_info      text,
    PRIMARY KEY (job_id, seq),
    CHECK ((kind = 'state') = (state IS NOT NULL))
);

-- One row for each attempt that ended. The lease, not the number, tells attempts apart: see the contract on snooze.
CREATE TABLE job_attempts (
    job_id        uuid        NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lease         bigint      NOT NULL,
    attempt       bigint      NOT NULL,
    worker_id     uuid        NOT NULL,
    plugin_digest text,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz NOT NULL,
    error_kind    text,
    error_message text,
    PRIMARY KEY (job_id, lease)
);

CREATE TABLE job_logs (
    job_id  uuid        NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     bigint      NOT NULL,
    at      timestamptz NOT NULL,
    attempt bigint      NOT NULL,
    stream  text        NOT NULL,
    text    text        NOT NULL,
    PRIMARY KEY (job_id, seq)
);

CREATE TABLE job_artifacts (
    job_id       uuid   NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name         text   NOT NULL,
    bytes        bigint NOT NULL,
    content_type text   NOT NULL,
    sha256       text   NOT NULL,
    lease        bigint NOT NULL,
    PRIMARY KEY (job_id, name)
);

CREATE TABLE job_checkpoints (
    job_id uuid   NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    lease  bigint NOT NULL,
    data   bytea  NOT NULL
);

-- One row for each run of a daemon. When `lease_until` has passed, the others may take its jobs.
CREATE TABLE workers (
    id           uuid        NOT NULL PRIMARY KEY,
    host         text        NOT NULL,
    pid          bigint      NOT NULL,
    version      text        NOT NULL,
    started_at   timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    lease_until  timestamptz NOT NULL
);
