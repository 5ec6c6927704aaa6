-- What an attempt used, as JSON: of each attempt, and of the last one with its job.

ALTER TABLE job_attempts ADD COLUMN bill TEXT;
ALTER TABLE jobs ADD COLUMN bill TEXT;
