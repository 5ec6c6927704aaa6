-- What was answered to requests of these names. $1: the names as a JSON array, $2: since when.
SELECT key, fingerprint, answer FROM idempotency_keys
WHERE key IN (SELECT jsonb_array_elements_text($1::jsonb)) AND created_at > $2
