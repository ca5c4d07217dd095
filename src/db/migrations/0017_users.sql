-- SPDX-License-Identifier: Apache-2.0
-- The people who carry devices; whose a device is, and who came in by a link.

CREATE TABLE person (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL UNIQUE,
    full_name TEXT,
    mail TEXT,
    mail_folded TEXT UNIQUE,
    apple_account TEXT,
    apple_account_folded TEXT UNIQUE,
    password_hash TEXT,
    must_change BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
ALTER TABLE device ADD COLUMN user_id TEXT REFERENCES person (id);
CREATE INDEX device_by_user ON device (user_id);
ALTER TABLE enrolment_link ADD COLUMN user_id TEXT REFERENCES person (id);
CREATE INDEX enrolment_link_by_user ON enrolment_link (user_id) WHERE user_id IS NOT NULL;
