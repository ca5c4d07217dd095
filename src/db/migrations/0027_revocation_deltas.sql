-- SPDX-License-Identifier: Apache-2.0
-- Lists of changes (RFC 5280 5.2.4): since when lists tell something else of a certificate, the list of
-- changes beside each list, and one list a day that the changes can be counted from.

ALTER TABLE certificate ADD COLUMN told_at BIGINT;
CREATE INDEX certificate_told ON certificate (told_at, serial) WHERE told_at IS NOT NULL;
ALTER TABLE revocation_list ADD COLUMN delta BLOB;
ALTER TABLE revocation_list ADD COLUMN delta_until BIGINT;
CREATE TABLE revocation_base (
    part BIGINT NOT NULL,
    number BIGINT NOT NULL,
    this_update BIGINT NOT NULL,
    PRIMARY KEY (part, number)
);
