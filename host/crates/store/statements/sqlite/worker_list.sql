-- The workers, in the order of their start.
SELECT id, host, pid, version, started_at, heartbeat_at, lease_until FROM workers ORDER BY started_at, id
