-- Every version of what calibrations fitted; the latest of each counts.

CREATE TABLE calibrations (
    calibration TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER,
    content TEXT,
    PRIMARY KEY (calibration, version)
) STRICT, WITHOUT ROWID;
