-- Remembers jobs that ended and have more dependents than could be seen to. $1: ids as a JSON array.
INSERT INTO dependencies_due (on_id) SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value)
ON CONFLICT (on_id) DO NOTHING
