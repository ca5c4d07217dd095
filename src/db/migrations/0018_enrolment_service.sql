-- SPDX-License-Identifier: Apache-2.0
-- A service that knows the organisation's devices before they come: its token, its devices, and the profiles
-- that tell them where to go.

CREATE TABLE enrolment_service (
    id TEXT PRIMARY KEY,
    certificate BLOB NOT NULL,
    sealed_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    sealed_token BLOB,
    consumer TEXT,
    expires_at BIGINT,
    imported_at BIGINT,
    warned_days BIGINT,
    server_id TEXT,
    server_name TEXT,
    organization TEXT,
    organization_id TEXT,
    account TEXT,
    cursor TEXT,
    fetch_started_at BIGINT,
    synced_at BIGINT,
    tried_at BIGINT,
    problem TEXT,
    remedy TEXT
);
CREATE TABLE service_profile (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    is_automatic BOOLEAN NOT NULL,
    is_mandatory BOOLEAN NOT NULL,
    is_removable BOOLEAN NOT NULL,
    allows_pairing BOOLEAN NOT NULL,
    awaits_configuration BOOLEAN NOT NULL,
    skip TEXT NOT NULL,
    minimum_os TEXT,
    department TEXT,
    support_phone TEXT,
    support_email TEXT,
    language TEXT,
    region TEXT,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    defined_revision BIGINT NOT NULL,
    uuid TEXT,
    problem TEXT
);
CREATE TABLE service_device (
    serial TEXT PRIMARY KEY,
    model TEXT,
    description TEXT,
    color TEXT,
    asset_tag TEXT,
    family TEXT,
    os TEXT,
    assigned_at BIGINT,
    assigned_by TEXT,
    profile_status TEXT,
    profile_uuid TEXT,
    profile_assigned_at BIGINT,
    profile_pushed_at BIGINT,
    profile_id TEXT REFERENCES service_profile (id),
    given_uuid TEXT,
    problem TEXT,
    tried_at BIGINT,
    added_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE INDEX service_device_by_profile ON service_device (profile_id);

-- What a device proved before it was let in, and whether it waits in its assistant.
ALTER TABLE enrolment ADD COLUMN expected_udid TEXT;
ALTER TABLE enrolment ADD COLUMN expected_serial TEXT;
ALTER TABLE enrolment ADD COLUMN awaits_until BIGINT;
ALTER TABLE enrolment ADD COLUMN configured_at BIGINT;
