/* SPDX-License-Identifier: Apache-2.0 */
#include "model/device.h"

#include "model/platform.h"

const char *const ownership_names[] = {"company", "personal", NULL};
const char *const enrolment_mode_names[] = {"device", "account", NULL};
const char *const enrolment_state_names[] = {
    "pending",           "active",     "blocked", "retiring", "retired",
    "checked_out",       "superseded", "wiping",  "wiped",    "retired_unconfirmed",
    "wiped_unconfirmed", NULL};

static const struct field device_rows[] = {
    TEXT_FIELD(struct device, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct device, name, FIELD_READ_ONLY, .help = "Name, as the device tells it"),
    ENUM_FIELD(struct device, platform, FIELD_READ_ONLY, platform_names, .help = "Platform"),
    TEXT_FIELD(struct device, model, FIELD_READ_ONLY, .help = "Model for people"),
    TEXT_FIELD(struct device, product, FIELD_READ_ONLY, .help = "Product code: iPhone15,2"),
    TEXT_FIELD(struct device, serial, FIELD_READ_ONLY, .help = "Serial number"),
    TEXT_FIELD(struct device, udid, FIELD_READ_ONLY, .help = "Hardware identifier"),
    TEXT_FIELD(struct device, os_version, FIELD_READ_ONLY, .help = "Version of the system"),
    TEXT_FIELD(struct device, os_build, FIELD_READ_ONLY, .help = "Build of the system"),
    ENUM_FIELD(struct device, ownership, FIELD_READ_ONLY, ownership_names, .help = "Whose it is"),
    BOOLEAN_FIELD(struct device, is_supervised, FIELD_READ_ONLY, .help = "Supervised"),
    TIME_FIELD(struct device, created_at, FIELD_READ_ONLY, .help = "When it was first seen"),
    TEXT_FIELD(struct device, user_id, FIELD_READ_ONLY, .help = "Who carries it"),
    TEXT_FIELD(struct device, user_name, FIELD_READ_ONLY, .help = "Name of that person"),
    ENUM_FIELD(struct device, enrolment_state, FIELD_READ_ONLY, enrolment_state_names,
               .help = "State of its enrolment"),
    ENUM_FIELD(struct device, enrolment_mode, FIELD_READ_ONLY, enrolment_mode_names,
               .help = "device: all of it is managed; account: only what belongs to an account"),
    TEXT_FIELD(struct device, compliance, FIELD_READ_ONLY,
               .help = "Compliance state; none of a device that left management"),
    TIME_FIELD(struct device, last_contact_at, FIELD_READ_ONLY, .help = "When it last called"),
    TIME_FIELD(struct device, bootstrap_token_at, FIELD_READ_ONLY,
               .help = "Since when its bootstrap token is kept here; none: it is not"),
    TEXT_FIELD(struct device, shut_out, FIELD_READ_ONLY,
               .help = "Why it is refused whenever it calls: certificate_revoked"),
};
const struct fields device_fields = FIELDS(device_rows);

static const struct field enrolment_rows[] = {
    TEXT_FIELD(struct enrolment, id, FIELD_READ_ONLY),
    TEXT_FIELD(struct enrolment, device_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct enrolment, link_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct enrolment, channel, FIELD_READ_ONLY),
    ENUM_FIELD(struct enrolment, state, FIELD_READ_ONLY, enrolment_state_names),
    TEXT_FIELD(struct enrolment, topic, FIELD_READ_ONLY),
    BYTES_FIELD(struct enrolment, push_token, FIELD_SECRET),
    BYTES_FIELD(struct enrolment, push_magic, FIELD_SECRET),
    BYTES_FIELD(struct enrolment, unlock_token, FIELD_SECRET),
    BOOLEAN_FIELD(struct enrolment, takes_users, FIELD_READ_ONLY),
    BYTES_FIELD(struct enrolment, push_token_before, FIELD_SECRET),
    BYTES_FIELD(struct enrolment, push_magic_before, FIELD_SECRET),
    TIME_FIELD(struct enrolment, push_at, FIELD_READ_ONLY),
    TIME_FIELD(struct enrolment, push_dead_at, FIELD_READ_ONLY),
    TIME_FIELD(struct enrolment, created_at, FIELD_READ_ONLY),
    TIME_FIELD(struct enrolment, enrolled_at, FIELD_READ_ONLY),
    TIME_FIELD(struct enrolment, ended_at, FIELD_READ_ONLY),
    TIME_FIELD(struct enrolment, last_contact_at, FIELD_READ_ONLY),
};
const struct fields enrolment_fields = FIELDS(enrolment_rows);

static const struct field enrolment_link_rows[] = {
    TEXT_FIELD(struct enrolment_link, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct enrolment_link, name, 0, .highest = 100, .help = "A note for people"),
    ENUM_FIELD(struct enrolment_link, ownership, 0, ownership_names,
               .help = "Whose the device will be"),
    TEXT_FIELD(struct enrolment_link, device_id, FIELD_READ_ONLY,
               .help = "The enrolled device that it is for"),
    ENUM_FIELD(struct enrolment_link, mode, FIELD_READ_ONLY, enrolment_mode_names,
               .help = "What it manages: the device, or an account on it"),
    TEXT_FIELD(struct enrolment_link, user_id, FIELD_READ_ONLY, .help = "Who signed in for it"),
    TEXT_FIELD(struct enrolment_link, apple_account, FIELD_SECRET),
    TIME_FIELD(struct enrolment_link, created_at, FIELD_READ_ONLY, .help = "When it was made"),
    TEXT_FIELD(struct enrolment_link, created_by, FIELD_READ_ONLY, .help = "Who made it"),
    TIME_FIELD(struct enrolment_link, expires_at, FIELD_READ_ONLY, .help = "When it ends"),
    TIME_FIELD(struct enrolment_link, used_at, FIELD_READ_ONLY, .help = "When it was used"),
    TIME_FIELD(struct enrolment_link, revoked_at, FIELD_READ_ONLY, .help = "When it was revoked"),
};
const struct fields enrolment_link_fields = FIELDS(enrolment_link_rows);
