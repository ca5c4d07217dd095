-- SPDX-License-Identifier: Apache-2.0
-- A revocation list for each part of the certificates, beside the one of all (part 0). A part has the
-- addresses that its certificates name: more than one when the server's own was changed.

ALTER TABLE certificate ADD COLUMN list_part BIGINT NOT NULL DEFAULT 0;
CREATE INDEX certificate_listed_part ON certificate (list_part, revoked_at, serial)
    WHERE state IN ('revoked', 'held') AND is_listed;
CREATE TABLE revocation_part (
    part BIGINT NOT NULL,
    url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (part, url)
);
CREATE TABLE revocation_list_next (
    part BIGINT NOT NULL,
    number BIGINT NOT NULL,
    der BLOB NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (part, number)
);
INSERT INTO revocation_list_next (part, number, der, this_update, next_update, entries)
SELECT 0, number, der, this_update, next_update, entries FROM revocation_list;
DROP TABLE revocation_list;
ALTER TABLE revocation_list_next RENAME TO revocation_list;
