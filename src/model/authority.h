/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of the authority, as the database has seen them and as people look at them. */
#pragma once

#include "base/field.h"

extern const char *const authority_role_names[]; /* index = enum authority_role, pki/keyd.h */

struct authority_record {
    int64_t number;
    int role;
    int64_t since; /* in this role; 0: always */
    char *root_sha256;
    int64_t root_not_after, issuing_not_after;
    bool certifies_servers;
    /* counted when somebody looks */
    int64_t certificates, devices, devices_waiting;
};
extern const struct fields authority_fields;        /* all of them */
extern const struct fields authority_stored_fields; /* those of its row */
