-- SPDX-License-Identifier: Apache-2.0
-- Commands that wait for a second yes, secrets kept for devices, and where lost ones were.

ALTER TABLE command ADD COLUMN confirmed_at BIGINT;
-- Sealed by keyd under "<device>/<kind>"; the newest of each kind, with the enrolment that brought it.
CREATE TABLE escrow (
    device_id TEXT NOT NULL REFERENCES device (id),
    kind TEXT NOT NULL,
    enrolment_id TEXT NOT NULL REFERENCES enrolment (id),
    sealed BLOB NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, kind)
);
-- The last one of each device, for a few days.
CREATE TABLE device_position (
    device_id TEXT PRIMARY KEY REFERENCES device (id),
    latitude DOUBLE PRECISION NOT NULL,
    longitude DOUBLE PRECISION NOT NULL,
    accuracy DOUBLE PRECISION NOT NULL,
    measured_at BIGINT,
    received_at BIGINT NOT NULL
);
CREATE INDEX device_position_by_age ON device_position (received_at);
