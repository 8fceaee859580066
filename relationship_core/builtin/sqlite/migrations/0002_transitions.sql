-- Transitions are written by the million when a project is reviewed for the first time, by the review alone and only for
-- customers whose row was just read: a foreign key on each costs a third of its writing and finds nothing.

CREATE TABLE transitions_without_reference (
    customer TEXT NOT NULL,
    at INTEGER NOT NULL,
    origin TEXT,
    target TEXT,
    evidence TEXT,
    PRIMARY KEY (customer, at)
) STRICT, WITHOUT ROWID;
INSERT INTO transitions_without_reference SELECT customer, at, origin, target, evidence FROM transitions;
DROP TABLE transitions;
ALTER TABLE transitions_without_reference RENAME TO transitions;
