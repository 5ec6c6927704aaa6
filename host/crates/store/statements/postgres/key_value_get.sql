-- The values of some keys, in no order. $1: the task, $2: the store, $3: the keys as a JSON array.
SELECT key, value
FROM key_values
WHERE task = $1 AND store = $2 AND key IN (SELECT list.key FROM jsonb_array_elements_text($3::jsonb) AS list (key))
