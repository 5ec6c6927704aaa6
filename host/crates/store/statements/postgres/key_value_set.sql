-- Sets a value. The caller holds the store. $1: the task, $2: the store, $3: the key, $4: the value.
INSERT INTO key_values (task, store, key, value)
VALUES ($1, $2, $3, $4)
ON CONFLICT (task, store, key) DO UPDATE
SET value = excluded.value
