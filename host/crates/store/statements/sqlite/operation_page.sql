-- The jobs that an operation comes to next, the newest first. ?1 to ?8: as for a page of jobs, ?9: up to this job, or null.
-- Differs from postgres: json_each in place of jsonb operators.
SELECT j.id, j.state, j.lease
FROM jobs AS j
WHERE (?1 IS NULL OR j.state IN (SELECT value FROM json_each(?1)))
    AND (?2 IS NULL OR j.task = ?2)
    AND (?3 IS NULL OR j.queue = ?3)
    AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(j.tags) WHERE value = ?4))
    AND (?5 IS NULL OR j.created_at >= ?5)
    AND (?6 IS NULL OR j.created_at < ?6)
    AND j.id < coalesce(?7, x'ffffffffffffffffffffffffffffffff')
    AND j.id >= coalesce(?9, x'')
ORDER BY j.id DESC
LIMIT ?8
