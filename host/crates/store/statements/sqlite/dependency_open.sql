-- What comes after jobs that have ended and is not settled yet. ?1: the ended jobs as a JSON array, ?2: how many.
-- Differs from postgres: no FOR UPDATE. SQLite has one writer, so nobody else can settle them.
SELECT d.job_id, d.on_id, parent.state = 'completed' OR coalesce(child.on_failure, 'cancel') = 'run' AS is_met
FROM job_dependencies AS d
JOIN jobs AS parent ON parent.id = d.on_id AND parent.finished_at IS NOT NULL
JOIN jobs AS child ON child.id = d.job_id
WHERE d.on_id IN (SELECT unhex(value) FROM json_each(?1)) AND d.is_settled = 0
ORDER BY d.job_id, d.on_id
LIMIT ?2
