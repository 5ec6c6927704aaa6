-- Makes a row for a task that has none. ?1: its name.
INSERT INTO tasks (name) VALUES (?1) ON CONFLICT (name) DO NOTHING
