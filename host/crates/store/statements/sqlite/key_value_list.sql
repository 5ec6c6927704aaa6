-- The keys of a store in the order in which they were first set. ?1: the task, ?2: the store, ?3: after which id, ?4: how many.
SELECT id, key FROM key_values WHERE task = ?1 AND store = ?2 AND id > ?3 ORDER BY id LIMIT ?4
