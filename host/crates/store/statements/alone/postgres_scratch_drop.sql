-- Ends all connections to a database, and removes it. {name}: its name, which cannot be a parameter.
DROP DATABASE IF EXISTS {name} WITH (FORCE)
