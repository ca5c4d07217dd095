/* SPDX-License-Identifier: Apache-2.0 */
/* What is on a device: apps, certificates, profiles; things of one shape, told in lists. */
#pragma once

#include "base/field.h"

enum inventory_kind {
    INVENTORY_APP,
    INVENTORY_MANAGED_APP, /* what the device says of apps that management brought */
    INVENTORY_CERTIFICATE,
    INVENTORY_PROFILE,
};
#define INVENTORY_KINDS 4
extern const char *const inventory_kind_names[];

#define INVENTORY_IDENTIFIER_LONGEST 200 /* bytes; it is the cursor of lists too */
#define INVENTORY_TEXT_LONGEST 255       /* bytes of name, version and state */
#define INVENTORY_DETAIL_LONGEST 4096    /* bytes */
#define INVENTORY_THINGS_MAX 2000 /* of one kind on one device; the rest is cut off, and said */

#define INVENTORY_MANAGED "managed" /* state of a profile that management brought */

struct thing {
    char *identifier; /* unique among its kind on the device */
    char *name;
    char *version;      /* NULL: not told, or none */
    char *state;        /* of a managed app: "Managed"; of a certificate: "identity"; or NULL */
    int64_t expires_at; /* of a certificate; 0 = not told */
    char *detail;       /* JSON object: what else the device told, in catalogue words */
    int64_t first_seen_at, changed_at;
    int64_t reported_at; /* of the list that it stands in */
};
extern const struct fields thing_fields;

struct inventory_list { /* one list as it was told last; no row: never told */
    int kind;           /* enum inventory_kind */
    int64_t count;
    bool is_cut;  /* there was more than we keep */
    int evidence; /* enum evidence */
    int64_t reported_at;
};
extern const struct fields inventory_list_fields;
