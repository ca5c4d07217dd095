-- SPDX-License-Identifier: Apache-2.0
-- Identities are renewed in time, and the push address before the newest one is kept.

ALTER TABLE certificate ADD COLUMN renew_at BIGINT;
ALTER TABLE certificate ADD COLUMN renew_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE challenge ADD COLUMN renews TEXT;
ALTER TABLE enrolment ADD COLUMN push_token_before BLOB;
ALTER TABLE enrolment ADD COLUMN push_magic_before BLOB;
CREATE INDEX certificate_by_renewal ON certificate (renew_at) WHERE state = 'issued' AND renew_at IS NOT NULL;
-- what was issued before: looked at in the last third of its life, then spread like all others
UPDATE certificate SET renew_at = not_after - (not_after - not_before) / 3 WHERE state IN ('issued', 'held');
