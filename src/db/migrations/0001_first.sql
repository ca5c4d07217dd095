-- SPDX-License-Identifier: Apache-2.0
-- The first schema.  Ids are UUIDs in text form, times are seconds UTC, JSON is text that C reads.
-- Values of bearer secrets are stored as HMACs made by keyd, values that must come back are sealed.

CREATE TABLE organization (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    conflict_mode TEXT NOT NULL,
    frozen BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- People who administer, and what they sign in with.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    must_change BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    mac BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX token_by_account ON token (account_id);

-- Devices and the relationships that they enrolled into.
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    platform TEXT NOT NULL,
    model TEXT,
    product TEXT,
    serial TEXT,
    udid TEXT,
    os_version TEXT,
    os_build TEXT,
    ownership TEXT NOT NULL,
    is_supervised BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX device_by_udid ON device (udid);
CREATE INDEX device_by_serial ON device (serial);
CREATE INDEX device_by_name ON device (name_folded, id);

CREATE TABLE enrolment_link (
    id TEXT PRIMARY KEY,
    mac BLOB NOT NULL UNIQUE,
    name TEXT,
    ownership TEXT NOT NULL,
    device_id TEXT REFERENCES device (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE TABLE enrolment (
    id TEXT PRIMARY KEY,
    device_id TEXT REFERENCES device (id),
    link_id TEXT NOT NULL REFERENCES enrolment_link (id),
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    topic TEXT,
    push_token BLOB,
    push_magic BLOB,
    unlock_token BLOB,
    push_at BIGINT,
    push_dead_at BIGINT,
    created_at BIGINT NOT NULL,
    enrolled_at BIGINT,
    ended_at BIGINT,
    last_contact_at BIGINT
);
CREATE INDEX enrolment_by_device ON enrolment (device_id);
CREATE INDEX enrolment_by_state ON enrolment (state);

-- Certificates, and the one-time challenges that they were issued for.
CREATE TABLE challenge (
    id TEXT PRIMARY KEY,
    mac BLOB NOT NULL UNIQUE,
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    purpose TEXT NOT NULL,
    expectation TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_spki BLOB,
    used_transaction TEXT,
    certificate_id TEXT
);
CREATE INDEX challenge_by_enrolment ON challenge (enrolment_id);
CREATE TABLE certificate (
    id TEXT PRIMARY KEY,
    enrolment_id TEXT REFERENCES enrolment (id),
    challenge_id TEXT REFERENCES challenge (id),
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    spki_sha256 BLOB NOT NULL,
    sha256 BLOB,
    der BLOB,
    request BLOB,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT,
    revoked_at BIGINT,
    reason TEXT
);
CREATE UNIQUE INDEX certificate_by_sha256 ON certificate (sha256);
CREATE INDEX certificate_by_enrolment ON certificate (enrolment_id);
CREATE INDEX certificate_by_spki ON certificate (spki_sha256);
CREATE INDEX certificate_by_revocation ON certificate (revoked_at);
CREATE TABLE certificate_step (
    id TEXT PRIMARY KEY,
    challenge_id TEXT NOT NULL REFERENCES challenge (id),
    step BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX certificate_step_by_challenge ON certificate_step (challenge_id, id);
CREATE TABLE revocation_list (
    number BIGINT PRIMARY KEY,
    der BLOB NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL
);

-- What must hold: policies with immutable revisions, and whom they are for.
CREATE TABLE policy (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX policy_by_name ON policy (name_folded) WHERE deleted_at IS NULL;
CREATE TABLE policy_revision (
    policy_id TEXT NOT NULL REFERENCES policy (id),
    revision BIGINT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (policy_id, revision)
);
CREATE TABLE assignment (
    id TEXT PRIMARY KEY,
    policy_id TEXT NOT NULL REFERENCES policy (id),
    target TEXT NOT NULL,
    device_id TEXT REFERENCES device (id),
    band BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX assignment_once ON assignment (policy_id, target, COALESCE(device_id, ''));
CREATE INDEX assignment_by_device ON assignment (device_id);
CREATE INDEX assignment_by_target ON assignment (target);

-- What should be on a device (one variant for equal inputs), what is, and what it reported.
CREATE TABLE variant (
    hash TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    content TEXT NOT NULL,
    decisions TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE desired (
    device_id TEXT PRIMARY KEY REFERENCES device (id),
    variant_hash TEXT NOT NULL REFERENCES variant (hash),
    planned_hash TEXT,
    changed_at BIGINT NOT NULL
);
CREATE INDEX desired_by_variant ON desired (variant_hash);
CREATE TABLE delivered (
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    item TEXT NOT NULL,
    hash TEXT NOT NULL,
    wanted_hash TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    remedy TEXT,
    losses BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (enrolment_id, item)
);
CREATE TABLE command (
    id TEXT PRIMARY KEY,
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    kind TEXT NOT NULL,
    item TEXT,
    parameters TEXT,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    is_deferred BOOLEAN NOT NULL,
    attempts BIGINT NOT NULL,
    reason TEXT,
    remedy TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_at BIGINT,
    finished_at BIGINT,
    expires_at BIGINT
);
CREATE UNIQUE INDEX command_open_once ON command (enrolment_id, kind, COALESCE(item, ''))
    WHERE finished_at IS NULL;
CREATE INDEX command_open ON command (enrolment_id, priority, id) WHERE finished_at IS NULL;
CREATE INDEX command_by_enrolment ON command (enrolment_id, id);
CREATE TABLE fact (
    device_id TEXT NOT NULL REFERENCES device (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    evidence TEXT NOT NULL,
    source TEXT NOT NULL,
    reported_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, name)
);
CREATE TABLE compliance (
    device_id TEXT PRIMARY KEY REFERENCES device (id),
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    evaluated_at BIGINT NOT NULL,
    recheck_at BIGINT,
    results TEXT NOT NULL
);
CREATE INDEX compliance_by_recheck ON compliance (recheck_at);
CREATE INDEX compliance_by_state ON compliance (state);

-- Connectors.
CREATE TABLE push_certificate (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    topic TEXT,
    key_about TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    request BLOB NOT NULL,
    certificate BLOB,
    not_after BIGINT,
    created_at BIGINT NOT NULL
);

-- Background work, and what happened.  Positions are given after commit, by one job.
CREATE TABLE job (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX job_by_due ON job (due_at);
CREATE TABLE event (
    id TEXT PRIMARY KEY,
    position BIGINT UNIQUE,
    kind TEXT NOT NULL,
    device_id TEXT,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX event_by_device ON event (device_id, id);
CREATE INDEX event_unnumbered ON event (id) WHERE position IS NULL;
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    position BIGINT UNIQUE,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    body TEXT NOT NULL,
    reason TEXT,
    request_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    hash BLOB
);
CREATE INDEX audit_unnumbered ON audit (id) WHERE position IS NULL;
CREATE TABLE audit_head (
    position BIGINT PRIMARY KEY,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL,
    at BIGINT NOT NULL
);
