-- SPDX-License-Identifier: Apache-2.0
-- What is on devices.  A list is told as a whole; what differs from the last one is written.

CREATE TABLE inventory_list (
    device_id TEXT NOT NULL REFERENCES device (id),
    kind TEXT NOT NULL,
    count BIGINT NOT NULL,
    is_cut BOOLEAN NOT NULL,
    evidence TEXT NOT NULL,
    digest BLOB NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, kind)
);
CREATE TABLE inventory (
    device_id TEXT NOT NULL REFERENCES device (id),
    kind TEXT NOT NULL,
    identifier TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    state TEXT,
    expires_at BIGINT,
    detail TEXT NOT NULL,
    digest BLOB NOT NULL,
    first_seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, kind, identifier)
);
CREATE INDEX inventory_by_thing ON inventory (kind, identifier, version);
-- Devices that are enrolled already are asked, too.
INSERT INTO job (kind, subject, due_at, lease_until, tries, rounds)
SELECT 'inventory', id, 0, 0, 0, 0 FROM enrolment WHERE state = 'active';
