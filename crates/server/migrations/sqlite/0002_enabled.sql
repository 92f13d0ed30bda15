-- 0 for an account that may call nothing.
ALTER TABLE accounts ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;
