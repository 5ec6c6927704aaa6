-- What the jobs of a task keep for one another: stores of keys and values.
-- Differs from postgres: types, as in 0001.

-- `bytes` is the sum of its keys and values and of a fixed cost for each. Whoever writes holds the row, so it is exact.
CREATE TABLE key_value_stores (
    task  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- The id gives the keys an order that stays while a guest lists them page by page.
CREATE TABLE key_values (
    id    INTEGER NOT NULL PRIMARY KEY,
    task  TEXT    NOT NULL,
    store TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    value BLOB    NOT NULL,
    UNIQUE (task, store, key),
    FOREIGN KEY (task, store) REFERENCES key_value_stores (task, name)
) STRICT;
CREATE INDEX key_values_in_order ON key_values (task, store, id);
