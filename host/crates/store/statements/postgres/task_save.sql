-- Writes down what is in service of a task. $1: its name, $2: the version, $3: the one before, $4: 1 if it is pinned, $5: why.
UPDATE tasks SET digest = $2, previous_digest = $3, is_pinned = $4, reason = $5 WHERE name = $1
