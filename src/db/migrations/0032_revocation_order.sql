-- SPDX-License-Identifier: Apache-2.0
-- Numbers of revocation lists go by the clock, so that none comes again after a restored backup; which
-- list followed which is kept apart, so that of two made at once one is made again.

ALTER TABLE revocation_list ADD COLUMN follows BIGINT;
CREATE UNIQUE INDEX revocation_list_order ON revocation_list (part, follows);
