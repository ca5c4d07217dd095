-- SPDX-License-Identifier: Apache-2.0
-- Generations of the authority: those that this database has seen in keyd, each with its root; which one
-- issued a certificate, and whose signer of profiles an enrolment began with.  What there was until now
-- is the first.

CREATE TABLE authority (
    number BIGINT PRIMARY KEY,
    role TEXT NOT NULL,
    since BIGINT,
    root_sha256 TEXT NOT NULL,
    root_not_after BIGINT NOT NULL,
    issuing_not_after BIGINT NOT NULL,
    certifies_servers BOOLEAN NOT NULL
);
INSERT INTO authority (number, role, since, root_sha256, root_not_after, issuing_not_after, certifies_servers)
SELECT 1, 'current', NULL, authority_sha256, 0, 0, TRUE FROM organization WHERE authority_sha256 IS NOT NULL;
ALTER TABLE organization DROP COLUMN authority_sha256;
ALTER TABLE certificate ADD COLUMN authority BIGINT NOT NULL DEFAULT 1;
ALTER TABLE enrolment ADD COLUMN authority BIGINT NOT NULL DEFAULT 1;
CREATE INDEX certificate_living ON certificate (authority, not_after) WHERE state IN ('issued', 'held');
