-- SPDX-License-Identifier: Apache-2.0
-- Devices that manage themselves by declarations: what they were told of, what they can, and what
-- they say of each declaration.

ALTER TABLE delivered ADD COLUMN carrier TEXT NOT NULL DEFAULT 'command';
CREATE TABLE declarative (
    enrolment_id TEXT PRIMARY KEY REFERENCES enrolment (id),
    token TEXT,
    told_at BIGINT NOT NULL,
    refused_version TEXT,
    capabilities TEXT,
    reported_at BIGINT
);
CREATE TABLE declaration (
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    kind TEXT NOT NULL,
    identifier TEXT NOT NULL,
    token TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    validity TEXT NOT NULL,
    reason TEXT,
    remedy TEXT,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, kind, identifier)
);
