-- SPDX-License-Identifier: Apache-2.0
-- How often a device said "not now", and how often a push brought nobody: pauses grow with both.

ALTER TABLE command ADD COLUMN put_off BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN rounds BIGINT NOT NULL DEFAULT 0;
