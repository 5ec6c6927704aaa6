-- What was answered to requests of these names. ?1: the names as a JSON array, ?2: since when.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
SELECT key, fingerprint, answer FROM idempotency_keys
WHERE key IN (SELECT value FROM json_each(?1)) AND created_at > ?2
