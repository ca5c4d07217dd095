-- SPDX-License-Identifier: Apache-2.0
-- A request holds its challenge in clear: its digest is kept instead.  Emptied before it is dropped:
-- PostgreSQL leaves a dropped column's values in the rows.

ALTER TABLE certificate ADD COLUMN request_sha256 BLOB;
UPDATE certificate SET request = NULL;
ALTER TABLE certificate DROP COLUMN request;
