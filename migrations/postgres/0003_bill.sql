-- What an attempt used, as JSON: of each attempt, and of the last one with its job.
-- Differs from sqlite: the jobs' tables are one statement each, so that each is locked once.

ALTER TABLE job_attempts ADD COLUMN bill text;
ALTER TABLE jobs ADD COLUMN bill text;
