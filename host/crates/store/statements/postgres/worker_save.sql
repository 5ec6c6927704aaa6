-- Registers a worker, or says that it is alive. $1: id, $2: host, $3: pid, $4: version, $5: now, $6: until when its lease lasts.
INSERT INTO workers (id, host, pid, version, started_at, heartbeat_at, lease_until)
VALUES ($1, $2, $3, $4, $5, $5, $6)
ON CONFLICT (id) DO UPDATE
SET heartbeat_at = excluded.heartbeat_at, lease_until = excluded.lease_until
