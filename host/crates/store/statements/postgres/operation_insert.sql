-- Adds an operation. $1: its id, $2: its kind, $3: which jobs, as JSON, $4: now.
INSERT INTO operations (id, kind, filter, created_at) VALUES ($1, $2, $3, $4)
