-- SPDX-License-Identifier: Apache-2.0
-- People enrol devices by signing in: what they agree to, and how far they have come.

CREATE TABLE terms (
    version BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    withdrawn_at BIGINT
);
CREATE TABLE terms_acceptance (
    user_id TEXT NOT NULL REFERENCES person (id),
    version BIGINT NOT NULL REFERENCES terms (version),
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (version, user_id)
);
CREATE TABLE visit (
    id TEXT PRIMARY KEY,
    mac BLOB NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES person (id),
    way TEXT NOT NULL,
    ownership TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX visit_by_user ON visit (user_id);
CREATE INDEX visit_by_end ON visit (expires_at, id);
-- 'device': the whole device; 'account': what belongs to the account alone.
ALTER TABLE enrolment_link ADD COLUMN mode TEXT NOT NULL DEFAULT 'device';
ALTER TABLE enrolment_link ADD COLUMN apple_account TEXT;
