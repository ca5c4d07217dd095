-- SPDX-License-Identifier: Apache-2.0
-- Requests of gear that led to no certificate, for housekeeping.

CREATE INDEX challenge_without_certificate ON challenge (expires_at, id)
    WHERE enrolment_id IS NULL AND certificate_id IS NULL;
