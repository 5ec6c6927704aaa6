-- Tasks with their versions: which is in service, which were before, and what each worker serves.
-- Differs from postgres: as 0001.

-- One row for each task that ever had a version. Without a digest it was deleted.
CREATE TABLE tasks (
    name            TEXT    NOT NULL PRIMARY KEY,
    digest          TEXT,
    previous_digest TEXT,
    is_pinned       INTEGER NOT NULL DEFAULT 0 CHECK (is_pinned IN (0, 1)),
    reason          TEXT,
    CHECK (is_pinned = 0 OR digest IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- What is known of a version. It stays when its component is freed, so that an old file is not taken for a new version.
CREATE TABLE task_versions (
    task           TEXT    NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    digest         TEXT    NOT NULL,
    bytes          INTEGER NOT NULL,
    source         TEXT    NOT NULL CHECK (source IN ('directory', 'upload')),
    uploaded_at    INTEGER NOT NULL,
    uploaded_by    TEXT,
    author_version TEXT,
    -- When it came or was put in service last: the oldest is freed first.
    used_at        INTEGER NOT NULL,
    PRIMARY KEY (task, digest)
) STRICT, WITHOUT ROWID;

-- The components, apart from what is listed.
CREATE TABLE task_components (
    task      TEXT NOT NULL,
    digest    TEXT NOT NULL,
    component BLOB NOT NULL,
    PRIMARY KEY (task, digest),
    FOREIGN KEY (task, digest) REFERENCES task_versions (task, digest) ON DELETE CASCADE
) STRICT;

-- What was changed about a task; a short history.
CREATE TABLE task_changes (
    task        TEXT    NOT NULL REFERENCES tasks (name) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    from_digest TEXT,
    to_digest   TEXT,
    reason      TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    PRIMARY KEY (task, seq)
) STRICT, WITHOUT ROWID;

-- What each worker serves; it goes with the worker.
CREATE TABLE worker_tasks (
    worker_id  BLOB NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
    task       TEXT NOT NULL,
    digest     TEXT,
    load_error TEXT,
    PRIMARY KEY (worker_id, task)
) STRICT, WITHOUT ROWID;
