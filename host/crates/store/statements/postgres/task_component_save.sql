-- Keeps a component. $1: the task, $2: the digest, $3: its bytes.
INSERT INTO task_components (task, digest, component) VALUES ($1, $2, $3) ON CONFLICT (task, digest) DO NOTHING
