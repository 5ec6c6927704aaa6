-- Deletes some keys. The caller holds the store. ?1: the task, ?2: the store, ?3: the keys as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
DELETE FROM key_values WHERE task = ?1 AND store = ?2 AND key IN (SELECT value FROM json_each(?3))
