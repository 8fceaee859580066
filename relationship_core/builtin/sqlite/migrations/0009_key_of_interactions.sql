-- The key of the interactions becomes an index that can be put off while a history is loaded.

CREATE TABLE interactions_with_index (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    customer TEXT NOT NULL,
    kind TEXT,
    at INTEGER,
    amount INTEGER,
    reference TEXT,
    lines TEXT,
    data TEXT
) STRICT;
INSERT INTO interactions_with_index
SELECT number, source, id, customer, kind, at, amount, reference, lines, data FROM interactions ORDER BY number;
DROP TABLE interactions;
ALTER TABLE interactions_with_index RENAME TO interactions;
CREATE INDEX interactions_by_customer ON interactions (customer);
CREATE UNIQUE INDEX interactions_by_key ON interactions (source, id);
