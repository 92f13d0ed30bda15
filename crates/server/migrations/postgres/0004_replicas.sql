-- The processes that serve from this database, and what they go by: to notice
-- those that differ.
CREATE TABLE replicas (
    id TEXT NOT NULL PRIMARY KEY,
    -- When it last showed that it lives: milliseconds since 1970.
    seen BIGINT NOT NULL,
    policy TEXT NOT NULL,
    lockout TEXT NOT NULL
);
