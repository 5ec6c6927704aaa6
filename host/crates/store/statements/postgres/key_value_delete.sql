-- Deletes some keys. The caller holds the store. $1: the task, $2: the store, $3: the keys as a JSON array.
DELETE FROM key_values
WHERE task = $1 AND store = $2 AND key IN (SELECT list.key FROM jsonb_array_elements_text($3::jsonb) AS list (key))
