-- Notes how much is in a store. The caller holds it. ?1: the task, ?2: its name, ?3: the bytes.
UPDATE key_value_stores SET bytes = ?3 WHERE task = ?1 AND name = ?2
