/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/escrow.h"

#include "fleet/door.h"
#include "fleet/leave.h"
#include "model/device.h"
#include "pki/keyd.h"
#include "store/store.h"

static const char *const kind_names[] = {
    [ESCROW_BYPASS_CODE] = "bypass_code",
    [ESCROW_BOOTSTRAP_TOKEN] = "bootstrap_token",
};

static const struct field secret_rows[] = {
    TEXT_FIELD(struct secret_view, kind, FIELD_READ_ONLY, .help = "What it is"),
    TEXT_FIELD(struct secret_view, secret, FIELD_READ_ONLY, .help = "The secret itself"),
    TIME_FIELD(struct secret_view, kept_at, FIELD_READ_ONLY, .help = "When the device told it"),
};
const struct fields secret_fields = FIELDS(secret_rows);

struct sealed_secret {
    char *enrolment_id;
    struct bytes sealed;
    int64_t kept_at;
};
static const struct field sealed_rows[] = {
    TEXT_FIELD(struct sealed_secret, enrolment_id, FIELD_READ_ONLY),
    BYTES_FIELD(struct sealed_secret, sealed, FIELD_SECRET),
    TIME_FIELD(struct sealed_secret, kept_at, FIELD_READ_ONLY),
};

static char *about(void *owner, const char *device_id, enum escrow_kind kind)
{
    return mem_format(owner, "%s/%s", device_id, kind_names[kind]);
}

bool escrow_seal(struct fleet *fleet, void *owner, const struct escrowed *escrowed,
                 struct bytes *sealed, struct err *err)
{
    return keyd_seal(fleet->keyd, owner, KEYD_CLASS_COMMAND,
                     about(owner, escrowed->device_id, escrowed->kind), escrowed->content, sealed,
                     err);
}

bool escrow_open(struct fleet *fleet, void *owner, const struct escrowed *escrowed,
                 struct bytes *plain, struct err *err)
{
    return keyd_open(fleet->keyd, owner, KEYD_CLASS_COMMAND,
                     about(owner, escrowed->device_id, escrowed->kind), escrowed->content, plain,
                     err);
}

bool escrow_find(struct db *db, void *owner, enum escrow_kind kind, const char *enrolment_id,
                 struct bytes *sealed, struct err *err)
{
    struct sealed_secret kept = {0};
    bool found = false;
    if (!store_find(db, owner, ASK(ESCROW_OF_ENROLMENT, TEXT(enrolment_id), TEXT(kind_names[kind])),
                    FIELDS(sealed_rows), &kept, &found, err))
        return false;
    *sealed = found ? kept.sealed : NO_BYTES;
    return true;
}

bool escrow_drop(struct db *tx, enum escrow_kind kind, const char *enrolment_id, struct err *err)
{
    return store_change(tx, ASK(ESCROW_DROP, TEXT(enrolment_id), TEXT(kind_names[kind])), NULL,
                        err);
}

bool escrow_keep(struct db *tx, enum escrow_kind kind, const struct kept *kept, struct err *err)
{
    return !kept->sealed.data ||
           store_change(tx,
                        ASK(ESCROW_KEEP, TEXT(kept->device_id), TEXT(kind_names[kind]),
                            TEXT(kept->enrolment_id), BYTES(kept->sealed), INTEGER(kept->now)),
                        NULL, err);
}

bool bypass_code_ask(struct db *tx, const char *enrolment_id, int64_t now, struct err *err)
{
    int64_t missing = 0;
    return store_number(
               tx,
               ASK(BYPASS_CODE_MISSING, TEXT(enrolment_id), TEXT(kind_names[ESCROW_BYPASS_CODE])),
               "count", &missing, err) &&
           (missing == 0 || query_add(tx, enrolment_id, COMMAND_QUERY_BYPASS_CODE, now, err));
}

bool fleet_bypass_code_get(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *device_id, struct secret_view *out, struct err *err)
{
    const enum escrow_kind kind = ESCROW_BYPASS_CODE;
    const struct want want = {"bypass code", FIELDS(sealed_rows)};
    struct sealed_secret kept = {0};
    struct bytes plain;
    struct change change = {.actor = actor,
                            .action = "device.bypass_code",
                            .permission = "device.bypass_code",
                            .subject_kind = "device",
                            .subject_id = device_id,
                            .wakes = true};
    if (!fleet_need(actor, "device.bypass_code", err) ||
        !store_get(fleet->db, owner, ASK(ESCROW_GET, TEXT(device_id), TEXT(kind_names[kind])), want,
                   &kept, err) ||
        !fleet_change(fleet, &change, err) ||
        !escrow_open(fleet, owner, &(struct escrowed){kind, device_id, kept.sealed}, &plain, err))
        return false;
    *out = (struct secret_view){.kind = mem_text(owner, kind_names[kind]),
                                .secret = bytes_to_text(owner, plain),
                                .kept_at = kept.kept_at};
    return true;
}

bool fleet_unlock_token(struct fleet *fleet, void *owner, const char *enrolment_id,
                        struct bytes *out, struct err *err)
{
    const struct want want = {"enrolment", enrolment_fields};
    struct enrolment enrolment = {0};
    if (!store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(enrolment_id)), want, &enrolment,
                   err))
        return false;
    if (!enrolment.unlock_token.data)
        return err_set(err, ERR_PRECONDITION,
                       "The device never gave the token that clears its passcode.");
    return keyd_open(fleet->keyd, owner, KEYD_CLASS_COMMAND, enrolment.id, enrolment.unlock_token,
                     out, err);
}
