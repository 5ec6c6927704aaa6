-- Keeps what is answered to a request, unless somebody else has just done so. ?1: its name, ?2: its fingerprint, ?3: the answer,
-- ?4: now, ?5: since when an older answer counts.
INSERT INTO idempotency_keys (key, fingerprint, answer, created_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (key) DO UPDATE
SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at
WHERE idempotency_keys.created_at <= ?5
