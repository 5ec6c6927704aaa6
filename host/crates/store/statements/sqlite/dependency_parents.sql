-- Which of these jobs there are, and whether they have ended. ?1: ids as a JSON array.
-- Differs from postgres: no FOR SHARE. SQLite has one writer, so none of them can end meanwhile.
SELECT id, finished_at IS NOT NULL AS has_ended FROM jobs WHERE id IN (SELECT unhex(value) FROM json_each(?1))
