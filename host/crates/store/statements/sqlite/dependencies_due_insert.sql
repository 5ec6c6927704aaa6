-- Remembers jobs that ended and have more dependents than could be seen to. ?1: ids as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text, and ids travel as hexadecimal.
INSERT INTO dependencies_due (on_id) SELECT unhex(value) FROM json_each(?1) WHERE true
ON CONFLICT (on_id) DO NOTHING
