/* SPDX-License-Identifier: Apache-2.0 */
#include "model/command.h"

#include "base/mem.h"

#define ASKED_NAMES                                                                                \
    "lock", "wipe", "retire", "restart", "sync", "renew_identity", "clear_passcode", "shut_down",  \
        "rename", "enable_lost_mode", "disable_lost_mode", "play_sound", "locate", "finish_setup", \
        "attest"
const char *const command_kind_names[] = {"install_item",
                                          "remove_item",
                                          "query_device",
                                          "query_security",
                                          "query_items",
                                          [COMMAND_ASKED_FIRST] = ASKED_NAMES,
                                          "query_apps",
                                          "query_managed_apps",
                                          "query_certificates",
                                          "query_bypass_code",
                                          "declare",
                                          NULL};
const char *const command_asked_names[] = {ASKED_NAMES, NULL};
_Static_assert(COUNT(command_kind_names) - 1 == COMMAND_DECLARE + 1, "a name for each kind");
_Static_assert(COUNT(command_asked_names) - 1 == COMMAND_ATTEST - COMMAND_ASKED_FIRST + 1,
               "all from the first to the last that is asked");
const char *const carrier_names[] = {"command", "declaration", "user_channel", NULL};
const char *const command_state_names[] = {
    "queued", "sent",      "delivered",  "applied", "verified",
    "failed", "cancelled", "superseded", "expired", "awaiting_confirmation",
    NULL};

static const struct field command_rows[] = {
    TEXT_FIELD(struct command, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct command, enrolment_id, FIELD_READ_ONLY, .help = "Enrolment"),
    TEXT_FIELD(struct command, device_id, FIELD_READ_ONLY, .help = "Device"),
    TEXT_FIELD(struct command, device_name, FIELD_READ_ONLY, .help = "Its name"),
    TEXT_FIELD(struct command, user, FIELD_READ_ONLY,
               .help = "The person of the device whose channel it is for"),
    ENUM_FIELD(struct command, kind, FIELD_READ_ONLY, command_kind_names, .help = "What to do"),
    TEXT_FIELD(struct command, item, FIELD_READ_ONLY, .help = "Which part of the effective set"),
    TEXT_FIELD(struct command, parameters, FIELD_SECRET),
    ENUM_FIELD(struct command, state, FIELD_READ_ONLY, command_state_names, .help = "State"),
    INTEGER_FIELD(struct command, priority, FIELD_READ_ONLY, .help = "Lower goes first"),
    BOOLEAN_FIELD(struct command, is_deferred, FIELD_READ_ONLY, .help = "The device asked to wait"),
    INTEGER_FIELD(struct command, put_off, FIELD_READ_ONLY,
                  .help = "How often in a row the device put it off"),
    INTEGER_FIELD(struct command, attempts, FIELD_READ_ONLY, .help = "How often it was fetched"),
    TEXT_FIELD(struct command, reason, FIELD_READ_ONLY, .help = "Why it failed"),
    TEXT_FIELD(struct command, remedy, FIELD_READ_ONLY, .help = "What to do about it"),
    TEXT_FIELD(struct command, created_by, FIELD_READ_ONLY, .help = "Who asked for it"),
    TIME_FIELD(struct command, created_at, FIELD_READ_ONLY, .help = "When it was queued"),
    TIME_FIELD(struct command, sent_at, FIELD_READ_ONLY, .help = "When the push was accepted"),
    TIME_FIELD(struct command, delivered_at, FIELD_READ_ONLY, .help = "When it was fetched"),
    TIME_FIELD(struct command, finished_at, FIELD_READ_ONLY, .help = "When it ended"),
    TIME_FIELD(struct command, expires_at, FIELD_READ_ONLY, .help = "When it is given up"),
    TIME_FIELD(struct command, confirmed_at, FIELD_READ_ONLY,
               .help = "When somebody said yes again to one that had waited for long"),
};
const struct fields command_fields = FIELDS(command_rows);

static const struct field delivered_rows[] = {
    TEXT_FIELD(struct delivered, enrolment_id, FIELD_READ_ONLY, .help = "Enrolment"),
    TEXT_FIELD(struct delivered, item, FIELD_READ_ONLY, .help = "Part of the effective set"),
    ENUM_FIELD(struct delivered, carrier, FIELD_READ_ONLY, carrier_names,
               .help = "How it gets to the device"),
    TEXT_FIELD(struct delivered, hash, FIELD_READ_ONLY, .help = "What the device has"),
    TEXT_FIELD(struct delivered, wanted_hash, FIELD_READ_ONLY, .help = "What it should have"),
    ENUM_FIELD(struct delivered, state, FIELD_READ_ONLY, command_state_names, .help = "State"),
    TEXT_FIELD(struct delivered, reason, FIELD_READ_ONLY, .help = "Why it failed"),
    TEXT_FIELD(struct delivered, remedy, FIELD_READ_ONLY, .help = "What to do about it"),
    INTEGER_FIELD(struct delivered, losses, FIELD_READ_ONLY,
                  .help = "How often in a row the device took it and then had it not"),
    TIME_FIELD(struct delivered, changed_at, FIELD_READ_ONLY, .help = "Since when"),
    TEXT_FIELD(struct delivered, user, FIELD_READ_ONLY,
               .help = "The person of the device whose channel it goes to"),
};
const struct fields delivered_fields = FIELDS(delivered_rows);
