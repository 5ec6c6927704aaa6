-- The last of so many jobs behind a job, the newest first, whatever they are; none if there are fewer. $1: the job, or null,
-- $2: how many but one.
-- A bound that is always there, not `null or`: so that both databases seek in the index.
SELECT id FROM jobs WHERE id < coalesce($1, 'ffffffffffffffffffffffffffffffff'::uuid) ORDER BY id DESC LIMIT 1 OFFSET $2
