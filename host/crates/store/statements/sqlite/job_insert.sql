-- Adds jobs. A row: id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at, expires_at, concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure.
-- Differs from postgres: VALUES in place of unnest. Rows of nulls fill a list up: they are passed over.
INSERT INTO jobs (
    id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at,
    expires_at, concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure)
SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
