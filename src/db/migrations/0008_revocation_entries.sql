-- SPDX-License-Identifier: Apache-2.0
-- How many certificates a revocation list names: whether it gets too long is not to be read out of DER.

ALTER TABLE revocation_list ADD COLUMN entries BIGINT NOT NULL DEFAULT 0;
