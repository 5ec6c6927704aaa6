-- How long the jobs of a queue that have ended took, in microseconds: the middle one, the one that 99 of 100 do not exceed, and the
-- longest. Slice by slice of the time in which they ended. $1: the queue, $2: from when on, or null: from when each was due,
-- $3: when slice 0 begins, and what ended before is left out, $4: how long a slice is, in microseconds.
WITH spans AS (
    SELECT
        trunc(extract(epoch FROM finished_at - $3::timestamptz) * 1000000 / $4::bigint)::bigint AS slice,
        (extract(epoch FROM finished_at - coalesce($2::timestamptz, run_at)) * 1000000)::bigint AS span
    FROM jobs
    WHERE queue = $1 AND finished_at >= $3::timestamptz
), places AS (
    SELECT slice, span, row_number() OVER (PARTITION BY slice ORDER BY span) AS place, count(*) OVER (PARTITION BY slice) AS jobs
    FROM spans
)
SELECT
    slice, jobs, min(span) FILTER (WHERE place * 100 >= jobs * 50) AS p50, min(span) FILTER (WHERE place * 100 >= jobs * 99) AS p99,
    max(span) AS longest
FROM places
GROUP BY slice, jobs
ORDER BY slice
