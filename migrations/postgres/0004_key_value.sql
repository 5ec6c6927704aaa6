-- What the jobs of a task keep for one another: stores of keys and values.
-- Differs from sqlite: types, as in 0001.

-- `bytes` is the sum of its keys and values and of a fixed cost for each. Whoever writes holds the row, so it is exact.
CREATE TABLE key_value_stores (
    task  text   NOT NULL,
    name  text   NOT NULL,
    bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    PRIMARY KEY (task, name)
);

-- The id gives the keys an order that stays while a guest lists them page by page.
CREATE TABLE key_values (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task  text   NOT NULL,
    store text   NOT NULL,
    key   text   NOT NULL,
    value bytea  NOT NULL,
    UNIQUE (task, store, key),
    FOREIGN KEY (task, store) REFERENCES key_value_stores (task, name)
);
CREATE INDEX key_values_in_order ON key_values (task, store, id);
