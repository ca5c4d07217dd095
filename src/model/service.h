/* SPDX-License-Identifier: Apache-2.0 */
/* Automated enrolment: the service that knows devices before they come, and what it tells them. */
#pragma once

#include "base/field.h"

struct service { /* the connection to it */
    char *id;
    struct bytes certificate, sealed_key; /* what tokens are encrypted to */
    int64_t created_at;
    struct bytes sealed_token;
    char *consumer; /* the key that names us in a token */
    int64_t expires_at, imported_at, warned_days;
    char *server_id, *server_name, *organization, *organization_id, *account;
    char *cursor;
    int64_t fetch_started_at; /* a fetch of everything is under way */
    int64_t synced_at, tried_at;
    char *problem, *remedy;
};
extern const struct fields service_fields;

struct service_profile {
    char *id, *name;
    bool is_automatic; /* for devices that come without a wish */
    bool is_mandatory, is_removable, allows_pairing, awaits_configuration;
    char *skip; /* JSON array of the assistant's steps to leave out */
    char *minimum_os;
    char *department, *support_phone, *support_email, *language, *region;
    int64_t updated_at, revision, defined_revision;
    char *uuid; /* the service's name for it */
    char *problem;
    int64_t device_count; /* read only */
};
extern const struct fields service_profile_fields;

struct service_device {
    char *serial, *model, *description, *color, *asset_tag, *family, *os;
    int64_t assigned_at; /* to this server, at the service */
    char *assigned_by;
    char *profile_status, *profile_uuid; /* as the service says */
    int64_t profile_assigned_at, profile_pushed_at;
    char *profile_id, *profile; /* the one it should have, and its name */
    char *given_uuid;           /* what was assigned last */
    char *problem;
    int64_t tried_at, added_at, seen_at, removed_at;
    char *device_id; /* when it has enrolled */
};
extern const struct fields service_device_fields;
