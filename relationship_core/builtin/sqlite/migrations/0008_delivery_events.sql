-- What was heard of messages after their receipts.

CREATE TABLE delivery_events (
    message TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    customer TEXT NOT NULL REFERENCES customers,
    receiver TEXT,
    detail TEXT,
    suppression TEXT,
    raw TEXT,
    recorded_at INTEGER,
    PRIMARY KEY (message, type, at)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_events_customer ON delivery_events (customer);
