-- Makes a store if it is not there, holds it until the transaction ends, and says how much is in it. $1: the task, $2: its name.
INSERT INTO key_value_stores (task, name)
VALUES ($1, $2)
ON CONFLICT (task, name) DO UPDATE
SET name = excluded.name
RETURNING bytes
