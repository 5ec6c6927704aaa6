-- Which of some jobs are not there. $1: their ids as a JSON array.
SELECT asked.id::uuid
FROM jsonb_array_elements_text($1::jsonb) AS asked (id)
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = asked.id::uuid)
