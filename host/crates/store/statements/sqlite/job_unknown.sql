-- Which of some jobs are not there. ?1: their ids as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text, and ids travel as hexadecimal.
SELECT asked.id
FROM (SELECT unhex(value) AS id FROM json_each(?1)) AS asked
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = asked.id)
