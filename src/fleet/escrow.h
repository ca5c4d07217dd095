/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are kept for a device: sealed by the key process, opened one at a time. */
#pragma once

#include "fleet/fleet.h"

enum escrow_kind { ESCROW_BYPASS_CODE, ESCROW_BOOTSTRAP_TOKEN };

struct secret_view {
    char *kind;
    char *secret; /* plain: for the person who asked, and nobody else */
    int64_t kept_at;
};
extern const struct fields secret_fields;

/* What opens the activation lock of this device. Permission device.bypass_code; each look is in the
 * audit log, before the secret is opened. ERR_NOT_FOUND when the device never told one. */
MUST_CHECK bool fleet_bypass_code_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                      const char *device_id, struct secret_view *out,
                                      struct err *err);

/* The token that clears the passcode of the device, opened for a command that is being delivered.
 * ERR_PRECONDITION when the device gave none. Wipe it after use. */
MUST_CHECK bool fleet_unlock_token(struct fleet *fleet, void *owner, const char *enrolment_id,
                                   struct bytes *out, struct err *err);

/* ---- inside fleet ---- */
struct escrowed {
    enum escrow_kind kind;
    const char *device_id;
    struct bytes content; /* plain where it is sealed, sealed where it is opened */
};
/* Outside of transactions. *sealed belongs to owner. */
MUST_CHECK bool escrow_seal(struct fleet *fleet, void *owner, const struct escrowed *escrowed,
                            struct bytes *sealed, struct err *err);
/* What escrow_seal() made of it. *plain belongs to owner: wipe it after use. */
MUST_CHECK bool escrow_open(struct fleet *fleet, void *owner, const struct escrowed *escrowed,
                            struct bytes *plain, struct err *err);
/* What this enrolment brought, sealed; NO_BYTES when it brought none. */
MUST_CHECK bool escrow_find(struct db *db, void *owner, enum escrow_kind kind,
                            const char *enrolment_id, struct bytes *sealed, struct err *err);
MUST_CHECK bool escrow_drop(struct db *tx, enum escrow_kind kind, const char *enrolment_id,
                            struct err *err);
struct kept {
    const char *device_id, *enrolment_id;
    struct bytes sealed; /* data NULL: nothing is kept */
    int64_t now;
};
MUST_CHECK bool escrow_keep(struct db *tx, enum escrow_kind kind, const struct kept *kept,
                            struct err *err);
/* A supervised device of the organisation is asked for its code once per enrolment: it keeps it for
 * fifteen days only. */
MUST_CHECK bool bypass_code_ask(struct db *tx, const char *enrolment_id, int64_t now,
                                struct err *err);
