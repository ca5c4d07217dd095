-- SPDX-License-Identifier: Apache-2.0
-- the ways that devices were planned by: when they are others, all are planned anew
ALTER TABLE organization ADD COLUMN plan_ways TEXT;
