-- The time that a transaction goes by: later than what it waited for, unlike now().
SELECT clock_timestamp()
