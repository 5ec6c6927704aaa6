-- The values of some keys, in no order. ?1: the task, ?2: the store, ?3: the keys as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
SELECT key, value FROM key_values WHERE task = ?1 AND store = ?2 AND key IN (SELECT value FROM json_each(?3))
