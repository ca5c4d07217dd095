-- SPDX-License-Identifier: Apache-2.0
-- What devices were asked to have attested: their answer holds it, or that of an earlier day.

CREATE TABLE attestation_nonce (
    id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES device (id),
    command_id TEXT NOT NULL,
    nonce BLOB NOT NULL,
    asked_at BIGINT NOT NULL
);
CREATE INDEX attestation_nonce_by_device ON attestation_nonce (device_id, asked_at);
CREATE INDEX attestation_nonce_by_age ON attestation_nonce (asked_at, id);
