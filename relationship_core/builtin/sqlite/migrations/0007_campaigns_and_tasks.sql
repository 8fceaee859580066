-- What was done with campaigns, work for people, and what addresses are found by.

CREATE TABLE campaign_acts (
    campaign TEXT NOT NULL,
    entry INTEGER NOT NULL,
    act TEXT,
    state TEXT,
    version TEXT,
    at INTEGER,
    actor TEXT,
    reason TEXT,
    detail TEXT,
    PRIMARY KEY (campaign, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
    customer TEXT NOT NULL REFERENCES customers,
    id TEXT NOT NULL PRIMARY KEY,
    campaign TEXT,
    action TEXT,
    occasion TEXT,
    assignee TEXT,
    title TEXT,
    text TEXT,
    created_at INTEGER,
    due_at INTEGER,
    state TEXT,
    outcome TEXT,
    note TEXT,
    actor TEXT,
    settled_at INTEGER
) STRICT;

CREATE INDEX tasks_customer ON tasks (customer);
CREATE INDEX tasks_state ON tasks (state);

-- Whatever is known already is read whenever an address is looked up, until it is recorded again.
ALTER TABLE contact_points ADD COLUMN found_by TEXT DEFAULT '';
CREATE INDEX contact_points_found_by ON contact_points (medium, found_by);
