-- Adds jobs. A row: id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at, expires_at, concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure.
INSERT INTO jobs (
    id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at,
    expires_at, concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[],
    $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[],
    $17::bigint[], $18::uuid[], $19::text[], $20::bigint[], $21::text[]
) AS new (
    id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at,
    expires_at, concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure)
