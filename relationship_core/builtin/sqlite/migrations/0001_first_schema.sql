-- Instants are microseconds since 1970-01-01 UTC, booleans 0 and 1, structured text JSON.
-- Tables that are only reached by their key are WITHOUT ROWID, so that a page of customers is one range of one tree.
--
-- Foreign keys hold contact points, transitions, decisions and messages to their customers. Interactions, measures,
-- states and marks have none: they are written by the million (checking costs 13 % of an interaction, 6 % of a
-- state), and only for customers whose row is made in the same transaction or was just read.
--
-- States have no index on due_at: finding those who are due by a scan takes a tenth of a second for a million
-- customers, which is less than the index would cost in every review that writes the states.

PRAGMA application_id = 0x52656c43;

CREATE TABLE customers (
    customer TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    locale TEXT,
    zone TEXT,
    country TEXT,
    attributes TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_points (
    customer TEXT NOT NULL REFERENCES customers,
    medium TEXT NOT NULL,
    address TEXT NOT NULL,
    synthetic INTEGER,
    PRIMARY KEY (customer, medium, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE interactions (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    customer TEXT NOT NULL,
    kind TEXT,
    at INTEGER,
    amount INTEGER,
    reference TEXT,
    lines TEXT,
    data TEXT,
    UNIQUE (source, id)
) STRICT;
CREATE INDEX interactions_by_customer ON interactions (customer);

-- One column for each plain measure is added when the store is prepared.
CREATE TABLE measures (
    customer TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The measure comes first: a step reads one measure of many customers, and leaves the others alone.
CREATE TABLE keyed_measures (
    measure TEXT NOT NULL,
    customer TEXT NOT NULL,
    key TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (measure, customer, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    customer TEXT NOT NULL PRIMARY KEY,
    stage TEXT,
    since INTEGER,
    lapsed INTEGER,
    due_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE transitions (
    customer TEXT NOT NULL REFERENCES customers,
    at INTEGER NOT NULL,
    origin TEXT,
    target TEXT,
    evidence TEXT,
    PRIMARY KEY (customer, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    campaign TEXT NOT NULL,
    action TEXT NOT NULL,
    customer TEXT NOT NULL REFERENCES customers,
    occasion TEXT NOT NULL,
    verdict TEXT,
    reason TEXT,
    detail TEXT,
    until INTEGER,
    at INTEGER,
    PRIMARY KEY (customer, campaign, action, occasion)
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_by_until ON decisions (until) WHERE until IS NOT NULL;

CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    campaign TEXT NOT NULL,
    version TEXT,
    action TEXT NOT NULL,
    customer TEXT NOT NULL REFERENCES customers,
    occasion TEXT NOT NULL,
    channel TEXT,
    medium TEXT,
    variant INTEGER,
    address TEXT,
    state TEXT,
    queued_at INTEGER,
    not_before INTEGER,
    expires_at INTEGER,
    worker TEXT,
    claimed_until INTEGER,
    attempts INTEGER,
    reference TEXT,
    detail TEXT,
    settled_at INTEGER,
    UNIQUE (customer, campaign, action, occasion)
) STRICT;
CREATE INDEX messages_queued ON messages (channel, queued_at, id) WHERE state = 'queued';

CREATE TABLE suppressions (
    medium TEXT NOT NULL,
    address_hash TEXT NOT NULL,
    reason TEXT,
    at INTEGER,
    PRIMARY KEY (medium, address_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
    campaign TEXT NOT NULL,
    version TEXT NOT NULL,
    content TEXT,
    at INTEGER,
    PRIMARY KEY (campaign, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    run TEXT NOT NULL PRIMARY KEY,
    as_of INTEGER,
    step TEXT,
    state TEXT,
    started_at INTEGER,
    finished_at INTEGER,
    outcome TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE imports (
    "import" TEXT NOT NULL PRIMARY KEY,
    rows_done INTEGER,
    new INTEGER,
    repeated INTEGER,
    rejected INTEGER,
    rejects_size INTEGER,
    state TEXT,
    at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
    step TEXT NOT NULL,
    customer TEXT NOT NULL,
    PRIMARY KEY (step, customer)
) STRICT, WITHOUT ROWID;

-- A step that everybody needs, without a row for each customer.
CREATE TABLE everybody (
    step TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
