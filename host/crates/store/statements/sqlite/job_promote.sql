-- Makes waiting jobs available whose time has come, the earliest first. ?1: how many, ?2: now.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
UPDATE jobs
SET state = 'available'
WHERE id IN (
    SELECT id FROM jobs
    WHERE state IN ('scheduled', 'retryable') AND pending_count = 0 AND run_at <= ?2
    ORDER BY run_at
    LIMIT ?1
)
RETURNING id, attempt
