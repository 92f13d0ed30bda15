-- The ids of accounts that were here: a token of one of them is worth nothing.
CREATE TABLE removed (
    id TEXT NOT NULL PRIMARY KEY
);
