-- SPDX-License-Identifier: Apache-2.0
-- Certificates without a device: a challenge that an administrator made for one subject belongs to no
-- enrolment.  SQLite cannot take a NOT NULL away, so that the three tables are written anew, children first.

CREATE TABLE challenge_next (
    id TEXT PRIMARY KEY,
    mac BLOB NOT NULL UNIQUE,
    enrolment_id TEXT REFERENCES enrolment (id),
    purpose TEXT NOT NULL,
    expectation TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_spki BLOB,
    used_transaction TEXT,
    certificate_id TEXT,
    renews TEXT,
    subject TEXT,
    created_by TEXT,
    needs_approval BOOLEAN NOT NULL DEFAULT FALSE,
    request_sha256 BLOB,
    decided_at BIGINT,
    decided_by TEXT
);
INSERT INTO challenge_next (id, mac, enrolment_id, purpose, expectation, state, tries, created_at, expires_at,
                            used_at, used_spki, used_transaction, certificate_id, renews)
SELECT id, mac, enrolment_id, purpose, expectation, state, tries, created_at, expires_at, used_at, used_spki,
       used_transaction, certificate_id, renews FROM challenge;
CREATE TABLE certificate_next (
    id TEXT PRIMARY KEY,
    enrolment_id TEXT REFERENCES enrolment (id),
    challenge_id TEXT REFERENCES challenge_next (id),
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    spki_sha256 BLOB NOT NULL,
    sha256 BLOB,
    der BLOB,
    request_sha256 BLOB,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT,
    revoked_at BIGINT,
    reason TEXT,
    renew_at BIGINT,
    renew_tries BIGINT NOT NULL DEFAULT 0
);
INSERT INTO certificate_next (id, enrolment_id, challenge_id, purpose, state, serial, subject, spki_sha256, sha256,
                              der, request_sha256, not_before, not_after, created_at, seen_at, revoked_at, reason,
                              renew_at, renew_tries)
SELECT id, enrolment_id, challenge_id, purpose, state, serial, subject, spki_sha256, sha256, der, request_sha256,
       not_before, not_after, created_at, seen_at, revoked_at, reason, renew_at, renew_tries FROM certificate;
CREATE TABLE certificate_step_next (
    id TEXT PRIMARY KEY,
    challenge_id TEXT NOT NULL REFERENCES challenge_next (id),
    step BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL
);
INSERT INTO certificate_step_next (id, challenge_id, step, outcome, detail, at)
SELECT id, challenge_id, step, outcome, detail, at FROM certificate_step;
DROP TABLE certificate_step;
DROP TABLE certificate;
DROP TABLE challenge;
ALTER TABLE challenge_next RENAME TO challenge;
ALTER TABLE certificate_next RENAME TO certificate;
ALTER TABLE certificate_step_next RENAME TO certificate_step;
CREATE INDEX challenge_by_enrolment ON challenge (enrolment_id);
CREATE INDEX challenge_by_spki ON challenge (used_spki) WHERE needs_approval;
CREATE UNIQUE INDEX certificate_by_sha256 ON certificate (sha256);
CREATE INDEX certificate_by_enrolment ON certificate (enrolment_id);
CREATE INDEX certificate_by_spki ON certificate (spki_sha256);
CREATE INDEX certificate_by_challenge ON certificate (challenge_id);
CREATE INDEX certificate_by_revocation ON certificate (revoked_at);
CREATE INDEX certificate_by_renewal ON certificate (renew_at) WHERE state = 'issued' AND renew_at IS NOT NULL;
CREATE INDEX certificate_step_by_challenge ON certificate_step (challenge_id, id);
