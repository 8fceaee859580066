-- Instants are microseconds since 1970-01-01 UTC: to_timestamp(at / 1e6) shows one. Structured text is JSON. Text is
-- ordered by its bytes, as customers are; U+0001 in it begins what stands for a character that PostgreSQL does not keep.
--
-- Foreign keys hold what belongs to customers to them. Interactions, measures, states, transitions and marks have none:
-- they are written by the million, and only for customers whose row is made in the same transaction or was just read.
--
-- Tables whose rows are updated leave a fifth of each page free, so that a new version lies beside the old one and needs
-- no new entry in an index that its columns are not in. States have no index on due_at for that reason: a scan finds who
-- is due.
--
-- Of columns that hold what people are called, where they live and what they wrote no statistics are kept: the most
-- common values and the bounds of histograms are copies, which would outlive the rows.

CREATE TABLE customers (
    customer text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    locale text COLLATE "C",
    zone text COLLATE "C",
    country text COLLATE "C",
    attributes text COLLATE "C",
    PRIMARY KEY (customer)
) WITH (fillfactor = 80);
ALTER TABLE customers
    ALTER COLUMN name SET STATISTICS 0,
    ALTER COLUMN locale SET STATISTICS 0,
    ALTER COLUMN zone SET STATISTICS 0,
    ALTER COLUMN country SET STATISTICS 0,
    ALTER COLUMN attributes SET STATISTICS 0;

CREATE TABLE contact_points (
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    medium text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    synthetic boolean,
    found_by text COLLATE "C",
    PRIMARY KEY (customer, medium, address)
);
CREATE INDEX contact_points_found_by ON contact_points (medium, found_by);
ALTER TABLE contact_points
    ALTER COLUMN address SET STATISTICS 0,
    ALTER COLUMN found_by SET STATISTICS 0;

CREATE TABLE interactions (
    source text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    kind text COLLATE "C",
    at bigint,
    amount bigint,
    reference text COLLATE "C",
    lines text COLLATE "C",
    data text COLLATE "C",
    PRIMARY KEY (source, id)
);
CREATE INDEX interactions_by_customer ON interactions (customer);
ALTER TABLE interactions
    ALTER COLUMN reference SET STATISTICS 0,
    ALTER COLUMN lines SET STATISTICS 0,
    ALTER COLUMN data SET STATISTICS 0;

-- One column for each plain measure is added when the store is prepared.
CREATE TABLE measures (
    customer text COLLATE "C" NOT NULL PRIMARY KEY
) WITH (fillfactor = 80);

CREATE TABLE keyed_measures (
    customer text COLLATE "C" NOT NULL,
    measure text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value float8,
    PRIMARY KEY (customer, measure, key)
) WITH (fillfactor = 80);

CREATE TABLE states (
    customer text COLLATE "C" NOT NULL,
    stage text COLLATE "C",
    since bigint,
    lapsed boolean,
    due_at bigint,
    PRIMARY KEY (customer)
) WITH (fillfactor = 80);

CREATE TABLE transitions (
    customer text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    origin text COLLATE "C",
    target text COLLATE "C",
    evidence text COLLATE "C",
    PRIMARY KEY (customer, at)
);
ALTER TABLE transitions
    ALTER COLUMN evidence SET STATISTICS 0;

CREATE TABLE decisions (
    campaign text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    occasion text COLLATE "C" NOT NULL,
    verdict text COLLATE "C",
    reason text COLLATE "C",
    detail text COLLATE "C",
    until bigint,
    at bigint,
    PRIMARY KEY (customer, campaign, action, occasion)
) WITH (fillfactor = 80);
CREATE INDEX decisions_by_until ON decisions (until) WHERE until IS NOT NULL;
ALTER TABLE decisions
    ALTER COLUMN detail SET STATISTICS 0;

CREATE TABLE messages (
    id text COLLATE "C" NOT NULL,
    campaign text COLLATE "C" NOT NULL,
    version text COLLATE "C",
    purpose text COLLATE "C",
    nature text COLLATE "C",
    topic text COLLATE "C",
    weight float8,
    cost bigint,
    our_minutes float8,
    their_minutes float8,
    action text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    occasion text COLLATE "C" NOT NULL,
    channel text COLLATE "C",
    medium text COLLATE "C",
    variant bigint,
    address text COLLATE "C",
    state text COLLATE "C",
    queued_at bigint,
    not_before bigint,
    expires_at bigint,
    worker text COLLATE "C",
    claimed_until bigint,
    attempts bigint,
    reference text COLLATE "C",
    detail text COLLATE "C",
    settled_at bigint,
    UNIQUE (customer, campaign, action, occasion),
    PRIMARY KEY (id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX messages_queued ON messages (channel, queued_at, id) WHERE state = 'queued';
ALTER TABLE messages
    ALTER COLUMN address SET STATISTICS 0,
    ALTER COLUMN reference SET STATISTICS 0,
    ALTER COLUMN detail SET STATISTICS 0;

CREATE TABLE suppressions (
    medium text COLLATE "C" NOT NULL,
    address_hash text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    reason text COLLATE "C",
    at bigint,
    source text COLLATE "C",
    actor text COLLATE "C",
    lifted_at bigint,
    lifted_by text COLLATE "C",
    PRIMARY KEY (medium, address_hash, scope)
);

CREATE TABLE consents (
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    id text COLLATE "C" NOT NULL,
    act text COLLATE "C",
    at bigint,
    medium text COLLATE "C",
    topic text COLLATE "C",
    basis text COLLATE "C",
    jurisdiction text COLLATE "C",
    wording text COLLATE "C",
    version text COLLATE "C",
    method text COLLATE "C",
    source text COLLATE "C",
    actor text COLLATE "C",
    evidence text COLLATE "C",
    address_hash text COLLATE "C",
    expires_at bigint,
    recorded_at bigint,
    PRIMARY KEY (customer, id)
);
ALTER TABLE consents
    ALTER COLUMN wording SET STATISTICS 0,
    ALTER COLUMN evidence SET STATISTICS 0,
    ALTER COLUMN source SET STATISTICS 0,
    ALTER COLUMN actor SET STATISTICS 0;

CREATE TABLE preferences (
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    at bigint NOT NULL,
    wish text COLLATE "C" NOT NULL,
    source text COLLATE "C",
    actor text COLLATE "C",
    ask_again_at bigint,
    recorded_at bigint,
    PRIMARY KEY (customer, at, wish)
);
ALTER TABLE preferences
    ALTER COLUMN source SET STATISTICS 0,
    ALTER COLUMN actor SET STATISTICS 0;

CREATE TABLE erased (
    hash text COLLATE "C" NOT NULL,
    at bigint,
    actor text COLLATE "C",
    reason text COLLATE "C",
    PRIMARY KEY (hash)
);

CREATE TABLE campaigns (
    campaign text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    content text COLLATE "C",
    at bigint,
    PRIMARY KEY (campaign, version)
);

CREATE TABLE campaign_acts (
    campaign text COLLATE "C" NOT NULL,
    entry bigint NOT NULL,
    act text COLLATE "C",
    state text COLLATE "C",
    version text COLLATE "C",
    at bigint,
    actor text COLLATE "C",
    reason text COLLATE "C",
    detail text COLLATE "C",
    PRIMARY KEY (campaign, entry)
);

CREATE TABLE tasks (
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    id text COLLATE "C" NOT NULL,
    campaign text COLLATE "C",
    action text COLLATE "C",
    occasion text COLLATE "C",
    assignee text COLLATE "C",
    title text COLLATE "C",
    "text" text COLLATE "C",
    created_at bigint,
    due_at bigint,
    state text COLLATE "C",
    outcome text COLLATE "C",
    note text COLLATE "C",
    actor text COLLATE "C",
    settled_at bigint,
    PRIMARY KEY (id)
) WITH (fillfactor = 80);
CREATE INDEX tasks_by_customer ON tasks (customer);
CREATE INDEX tasks_by_state ON tasks (state);
ALTER TABLE tasks
    ALTER COLUMN assignee SET STATISTICS 0,
    ALTER COLUMN title SET STATISTICS 0,
    ALTER COLUMN "text" SET STATISTICS 0,
    ALTER COLUMN outcome SET STATISTICS 0,
    ALTER COLUMN note SET STATISTICS 0,
    ALTER COLUMN actor SET STATISTICS 0;

CREATE TABLE delivery_events (
    message text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    customer text COLLATE "C" NOT NULL REFERENCES customers,
    receiver text COLLATE "C",
    detail text COLLATE "C",
    suppression text COLLATE "C",
    raw text COLLATE "C",
    recorded_at bigint,
    PRIMARY KEY (message, type, at)
);
CREATE INDEX delivery_events_by_customer ON delivery_events (customer);
ALTER TABLE delivery_events
    ALTER COLUMN detail SET STATISTICS 0,
    ALTER COLUMN suppression SET STATISTICS 0,
    ALTER COLUMN raw SET STATISTICS 0;

CREATE TABLE runs (
    run text COLLATE "C" NOT NULL,
    as_of bigint,
    step text COLLATE "C",
    state text COLLATE "C",
    started_at bigint,
    finished_at bigint,
    outcome text COLLATE "C",
    PRIMARY KEY (run)
);

CREATE TABLE imports (
    "import" text COLLATE "C" NOT NULL,
    rows_done bigint,
    new bigint,
    repeated bigint,
    rejected bigint,
    unknown_customers bigint,
    rejects_size bigint,
    state text COLLATE "C",
    at bigint,
    PRIMARY KEY ("import")
);

CREATE TABLE aliases (
    customer text COLLATE "C" NOT NULL,
    survivor text COLLATE "C" NOT NULL,
    at bigint,
    actor text COLLATE "C",
    reason text COLLATE "C",
    linked boolean,
    PRIMARY KEY (customer)
);
ALTER TABLE aliases
    ALTER COLUMN actor SET STATISTICS 0,
    ALTER COLUMN reason SET STATISTICS 0;

CREATE TABLE merges (
    entry bigint NOT NULL,
    act text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    survivor text COLLATE "C" NOT NULL,
    at bigint,
    actor text COLLATE "C",
    reason text COLLATE "C",
    PRIMARY KEY (entry)
);
ALTER TABLE merges
    ALTER COLUMN actor SET STATISTICS 0,
    ALTER COLUMN reason SET STATISTICS 0;

CREATE TABLE contacts (
    account text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    role text COLLATE "C",
    since bigint,
    until bigint,
    PRIMARY KEY (account, customer)
);

CREATE TABLE calibrations (
    calibration text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    at bigint,
    content text COLLATE "C",
    PRIMARY KEY (calibration, version)
);

CREATE TABLE facts (
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C",
    PRIMARY KEY (name)
);

CREATE TABLE marks (
    step text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    PRIMARY KEY (step, customer)
);

-- A step that everybody needs, without a row for each customer.
CREATE TABLE everybody (
    step text COLLATE "C" NOT NULL PRIMARY KEY
);
