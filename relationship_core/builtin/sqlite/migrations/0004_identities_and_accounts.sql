-- Who was merged into whom, the log of it, and who is a contact of which account. These tables are read whole and
-- seldom; nobody is removed while another row names them, so that no foreign key has anything to find.

CREATE TABLE aliases (
    customer TEXT NOT NULL PRIMARY KEY,
    survivor TEXT NOT NULL,
    at INTEGER,
    actor TEXT,
    reason TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE merges (
    entry INTEGER NOT NULL PRIMARY KEY,
    act TEXT NOT NULL,
    customer TEXT NOT NULL,
    survivor TEXT NOT NULL,
    at INTEGER,
    actor TEXT,
    reason TEXT
) STRICT;

CREATE TABLE contacts (
    account TEXT NOT NULL,
    customer TEXT NOT NULL,
    role TEXT,
    since INTEGER,
    until INTEGER,
    PRIMARY KEY (account, customer)
) STRICT, WITHOUT ROWID;
