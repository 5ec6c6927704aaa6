-- Tasks with their versions: which is in service, which were before, and what each worker serves.
-- Differs from sqlite: as 0001.

-- One row for each task that ever had a version. Without a digest it was deleted.
CREATE TABLE tasks (
    name            text    NOT NULL PRIMARY KEY,
    digest          text,
    previous_digest text,
    is_pinned       bigint  NOT NULL DEFAULT 0 CHECK (is_pinned IN (0, 1)),
    reason          text,
    CHECK (is_pinned = 0 OR digest IS NOT NULL)
);

-- What is known of a version. It stays when its component is freed, so that an old file is not taken for a new version.
CREATE TABLE task_versions (
    task           text        NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    digest         text        NOT NULL,
    bytes          bigint      NOT NULL,
    source         text        NOT NULL CHECK (source IN ('directory', 'upload')),
    uploaded_at    timestamptz NOT NULL,
    uploaded_by    text,
    author_version text,
    -- When it came or was put in service last: the oldest is freed first.
    used_at        timestamptz NOT NULL,
    PRIMARY KEY (task, digest)
);

-- The components, apart from what is listed.
CREATE TABLE task_components (
    task      text  NOT NULL,
    digest    text  NOT NULL,
    component bytea NOT NULL,
    PRIMARY KEY (task, digest),
    FOREIGN KEY (task, digest) REFERENCES task_versions (task, digest) ON DELETE CASCADE
);

-- What was changed about a task; a short history.
CREATE TABLE task_changes (
    task        text        NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    seq         bigint      NOT NULL,
    at          timestamptz NOT NULL,
    from_digest text,
    to_digest   text,
    reason      text        NOT NULL,
    message     text        NOT NULL,
    PRIMARY KEY (task, seq)
);

-- What each worker serves; it goes with the worker.
CREATE TABLE worker_tasks (
    worker_id  uuid NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
    task       text NOT NULL,
    digest     text,
    load_error text,
    PRIMARY KEY (worker_id, task)
);
