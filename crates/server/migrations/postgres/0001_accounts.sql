-- The tenant that every account belongs to: one row.
CREATE TABLE directory (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    tenant TEXT NOT NULL
);

-- Times are milliseconds since 1970, truth values 0 or 1. `roles`, `history`
-- and `lockout` are JSON.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    upn TEXT NOT NULL,
    -- What is compared: unique whatever its case, and sorted by bytes.
    upn_folded TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT,
    given_name TEXT,
    surname TEXT,
    roles TEXT NOT NULL,
    disable_strong_password BIGINT NOT NULL,
    disable_password_expiration BIGINT NOT NULL,
    must_change BIGINT NOT NULL,
    must_change_with_mfa BIGINT NOT NULL,
    created BIGINT NOT NULL,
    password_changed BIGINT,
    -- Begins as `created`, and grows with every new password: an account that was
    -- removed and added again has another.
    version BIGINT NOT NULL,
    phc TEXT,
    history TEXT NOT NULL,
    lockout TEXT NOT NULL
);

CREATE TABLE operations (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    caller TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('notStarted', 'running', 'succeeded', 'failed')),
    detail TEXT,
    owner TEXT NOT NULL,
    -- When its owner last showed that it lives.
    renewed BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);

CREATE INDEX operations_by_account ON operations (account);
-- One at a time, so that resets end in the order in which a directory took them.
CREATE UNIQUE INDEX operations_running ON operations (account) WHERE state = 'running';
CREATE INDEX operations_by_state ON operations (state, changed);
