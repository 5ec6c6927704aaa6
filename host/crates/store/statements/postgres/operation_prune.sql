-- Forgets operations that were over before a time. $1: the time, $2: how many.
WITH old AS MATERIALIZED (
    SELECT id FROM operations WHERE finished_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM operations USING old WHERE operations.id = old.id
