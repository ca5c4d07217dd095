-- SPDX-License-Identifier: Apache-2.0
-- The authority that this database belongs to: SHA-256 of its root certificate, in hexadecimal.  A key
-- process with another one would lock every device out.

ALTER TABLE organization ADD COLUMN authority_sha256 TEXT;
