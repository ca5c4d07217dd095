/* SPDX-License-Identifier: Apache-2.0 */
#include "model/account.h"

const char *const role_names[] = {"administrator", "help_desk", "auditor", NULL};

static const struct field account_rows[] = {
    TEXT_FIELD(struct account, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct account, name, FIELD_REQUIRED, .lowest = 1, .highest = 100, .help = "Name"),
    ENUM_FIELD(struct account, role, 0, role_names, .help = "Role"),
    TEXT_FIELD(struct account, password_hash, FIELD_SECRET),
    BOOLEAN_FIELD(struct account, must_change, FIELD_READ_ONLY,
                  .help = "The password is for the first sign-in only"),
    TIME_FIELD(struct account, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct account, disabled_at, FIELD_READ_ONLY, .help = "When it was disabled"),
};
const struct fields account_fields = FIELDS(account_rows);

static const struct field token_rows[] = {
    TEXT_FIELD(struct token, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct token, account_id, FIELD_READ_ONLY, .help = "Account"),
    TEXT_FIELD(struct token, account_name, FIELD_READ_ONLY, .help = "Name of the account"),
    TEXT_FIELD(struct token, kind, FIELD_READ_ONLY, .help = "session or api"),
    TEXT_FIELD(struct token, name, FIELD_REQUIRED, .lowest = 1, .highest = 100, .help = "Name"),
    ENUM_FIELD(struct token, role, 0, role_names, .help = "Role: not above the maker's"),
    TIME_FIELD(struct token, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TIME_FIELD(struct token, expires_at, FIELD_READ_ONLY, .help = "When it ends"),
    TIME_FIELD(struct token, revoked_at, FIELD_READ_ONLY, .help = "When it was revoked"),
};
const struct fields token_fields = FIELDS(token_rows);

static const struct field audit_rows[] = {
    TEXT_FIELD(struct audit_entry, id, FIELD_READ_ONLY, .help = "Identifier"),
    INTEGER_FIELD(struct audit_entry, position, FIELD_READ_ONLY, .help = "Place in the chain"),
    TEXT_FIELD(struct audit_entry, actor_kind, FIELD_READ_ONLY, .help = "account, device, system"),
    TEXT_FIELD(struct audit_entry, actor_id, FIELD_READ_ONLY, .help = "Who"),
    TEXT_FIELD(struct audit_entry, actor_name, FIELD_READ_ONLY, .help = "Name at that time"),
    TEXT_FIELD(struct audit_entry, action, FIELD_READ_ONLY, .help = "What"),
    TEXT_FIELD(struct audit_entry, subject_kind, FIELD_READ_ONLY, .help = "Kind of object"),
    TEXT_FIELD(struct audit_entry, subject_id, FIELD_READ_ONLY, .help = "Object"),
    RAW_FIELD(struct audit_entry, body, FIELD_READ_ONLY, .help = "What was changed"),
    TEXT_FIELD(struct audit_entry, reason, FIELD_READ_ONLY, .help = "The reason given"),
    TEXT_FIELD(struct audit_entry, request_id, FIELD_READ_ONLY, .help = "Request"),
    TIME_FIELD(struct audit_entry, at, FIELD_READ_ONLY, .help = "When"),
    BYTES_FIELD(struct audit_entry, hash, FIELD_READ_ONLY, .help = "Hash of the chain up to here"),
};
const struct fields audit_fields = FIELDS(audit_rows);

static const struct field event_rows[] = {
    TEXT_FIELD(struct event, id, FIELD_READ_ONLY, .help = "Identifier"),
    INTEGER_FIELD(struct event, position, FIELD_READ_ONLY, .help = "Place in the feed"),
    TEXT_FIELD(struct event, kind, FIELD_READ_ONLY, .help = "What happened"),
    TEXT_FIELD(struct event, device_id, FIELD_READ_ONLY, .help = "Device"),
    TEXT_FIELD(struct event, device_name, FIELD_READ_ONLY, .help = "Its name"),
    RAW_FIELD(struct event, body, FIELD_READ_ONLY, .help = "Details"),
    TIME_FIELD(struct event, at, FIELD_READ_ONLY, .help = "When"),
};
const struct fields event_fields = FIELDS(event_rows);

static const struct field refusal_rows[] = {
    TEXT_FIELD(struct refusal, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct refusal, kind, FIELD_READ_ONLY, .help = "What was refused"),
    TEXT_FIELD(struct refusal, peer, FIELD_READ_ONLY,
               .help = "To whom: address, IPv6 network, enrolment; others: behind the limit"),
    TEXT_FIELD(struct refusal, subject, FIELD_READ_ONLY,
               .help = "Account or challenge, if there is one"),
    INTEGER_FIELD(struct refusal, count, FIELD_READ_ONLY, .help = "How often in this hour"),
    TIME_FIELD(struct refusal, first_at, FIELD_READ_ONLY, .help = "The first time"),
    TIME_FIELD(struct refusal, last_at, FIELD_READ_ONLY, .help = "The last time"),
    RAW_FIELD(struct refusal, detail, FIELD_READ_ONLY, .help = "Details of the last time"),
};
const struct fields refusal_fields = FIELDS(refusal_rows);
