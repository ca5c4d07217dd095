-- SPDX-License-Identifier: Apache-2.0
-- What a renewal left behind is revoked, and not in the revocation list while its enrolment goes on: a fleet
-- that renews would fill the list.  It is read the newest first.

ALTER TABLE certificate ADD COLUMN is_listed BOOLEAN NOT NULL DEFAULT TRUE;
DROP INDEX certificate_revoked;
CREATE INDEX certificate_listed ON certificate (revoked_at, serial) WHERE state IN ('revoked', 'held') AND is_listed;
