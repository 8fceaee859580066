-- What customers allow and want, who was erased, and what each message was for and cost.

-- Nothing has written suppressions before, so that there is none to keep.
DROP TABLE suppressions;
CREATE TABLE suppressions (
    medium TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT,
    at INTEGER,
    source TEXT,
    actor TEXT,
    lifted_at INTEGER,
    lifted_by TEXT,
    PRIMARY KEY (medium, address_hash, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    customer TEXT NOT NULL REFERENCES customers,
    id TEXT NOT NULL,
    act TEXT,
    at INTEGER,
    medium TEXT,
    topic TEXT,
    basis TEXT,
    jurisdiction TEXT,
    wording TEXT,
    version TEXT,
    method TEXT,
    source TEXT,
    actor TEXT,
    evidence TEXT,
    address_hash TEXT,
    expires_at INTEGER,
    recorded_at INTEGER,
    PRIMARY KEY (customer, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE preferences (
    customer TEXT NOT NULL REFERENCES customers,
    at INTEGER NOT NULL,
    wish TEXT NOT NULL,
    source TEXT,
    actor TEXT,
    ask_again_at INTEGER,
    recorded_at INTEGER,
    PRIMARY KEY (customer, at, wish)
) STRICT, WITHOUT ROWID;

ALTER TABLE aliases ADD COLUMN linked INTEGER;

CREATE TABLE erased (
    hash TEXT NOT NULL PRIMARY KEY,
    at INTEGER,
    actor TEXT,
    reason TEXT
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN purpose TEXT;
ALTER TABLE messages ADD COLUMN nature TEXT;
ALTER TABLE messages ADD COLUMN topic TEXT;
ALTER TABLE messages ADD COLUMN weight REAL;
ALTER TABLE messages ADD COLUMN cost INTEGER;
ALTER TABLE messages ADD COLUMN our_minutes REAL;
ALTER TABLE messages ADD COLUMN their_minutes REAL;
