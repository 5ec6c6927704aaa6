-- The jobs that an operation comes to next, the newest first. $1 to $8: as for a page of jobs, $9: up to this job, or null.
SELECT j.id, j.state, j.lease
FROM jobs AS j
WHERE ($1::text IS NULL OR j.state IN (SELECT jsonb_array_elements_text($1::jsonb)))
    AND ($2::text IS NULL OR j.task = $2)
    AND ($3::text IS NULL OR j.queue = $3)
    AND ($4::text IS NULL OR j.tags::jsonb ? $4)
    AND ($5::timestamptz IS NULL OR j.created_at >= $5)
    AND ($6::timestamptz IS NULL OR j.created_at < $6)
    AND j.id < coalesce($7, 'ffffffffffffffffffffffffffffffff'::uuid)
    AND j.id >= coalesce($9, '00000000000000000000000000000000'::uuid)
ORDER BY j.id DESC
LIMIT $8
