/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/certificate.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "fleet/list.h"
#include "fleet/resolved.h"
#include "fleet/shared.h"
#include "fleet/step.h"
#include "model/device.h"
#include "store/store.h"

static struct want certificate_want(void)
{
    return (struct want){"certificate", certificate_fields};
}

/* A serial number as ours are kept; OpenSSL prints them in upper case, some tools with colons. */
static char *serial_fold(void *owner, const char *text)
{
    char *folded = mem_text(owner, "");
    size_t size = strlen(text), used = 0;
    char *out = mem_array(folded, char, size + 1);
    for (size_t i = 0; i < size; i++)
        if (text[i] != ':')
            out[used++] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
    return mem_text_part(owner, out, used);
}

bool fleet_certificate_list(struct fleet *fleet, const struct actor *actor, void *owner,
                            const struct certificate_filter *filter, const struct page *page,
                            struct list *out, struct err *err)
{
    struct listing listing = {.fields = certificate_fields,
                              .item_size = sizeof(struct certificate_record),
                              .permission = "certificate.read"};
    const char *text = filter->text;
    return list_read(
        fleet, actor, owner,
        ASK(CERTIFICATE_LIST, TEXT(page->cursor), TEXT(filter->device_id), INTEGER(page->limit + 1),
            TEXT(text ? list_like(owner, text_fold(owner, text)) : NULL),
            TEXT(text ? serial_fold(owner, text) : NULL), TEXT(filter->state),
            TEXT(filter->purpose), INTEGER(filter->ends_before ? filter->ends_before : INT64_MAX)),
        page, &listing, out, err);
}

bool fleet_certificate_get(struct fleet *fleet, const struct actor *actor, void *owner,
                           const char *which, struct certificate_record *out, struct err *err)
{
    struct certificate_record record = {0};
    bool found = false;
    if (!fleet_need(actor, "certificate.read", err) ||
        !store_find(fleet->db, owner, ASK(CERTIFICATE_BY_ID, TEXT(which)), certificate_fields,
                    &record, &found, err) ||
        (!found &&
         !store_get(fleet->db, owner, ASK(CERTIFICATE_BY_SERIAL, TEXT(serial_fold(owner, which))),
                    certificate_want(), &record, err)))
        return false;
    *out = record;
    return true;
}

bool fleet_certificate_request_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                    const char *device_id, bool refused_only,
                                    const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = certificate_request_fields,
                              .item_size = sizeof(struct certificate_request_record),
                              .permission = "certificate.read"};
    return list_read(fleet, actor, owner,
                     ASK(CERTIFICATE_REQUEST_LIST, TEXT(page->cursor), TEXT(device_id),
                         TEXT(refused_only ? "refused" : NULL), INTEGER(page->limit + 1)),
                     page, &listing, out, err);
}

static bool steps_of(struct fleet *fleet, void *owner, const char *challenge_id, struct list *out,
                     struct err *err)
{
    void *items = NULL;
    size_t count = 0;
    if (!store_list(fleet->db, owner, ASK(CERTIFICATE_STEP_LIST, TEXT(challenge_id)),
                    certificate_step_fields, sizeof(struct certificate_step), &items, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct certificate_step *step = (struct certificate_step *)items + i;
        if (step->step >= STEP_PROFILE_MADE && step->step <= STEP_RECEIVED)
            step->title = mem_text(owner, certificate_step_titles[step->step]);
    }
    *out = (struct list){.items = items, .count = count};
    return true;
}

bool fleet_certificate_trace(struct fleet *fleet, const struct actor *actor, void *owner,
                             const char *which, struct list *out, struct err *err)
{
    struct certificate_record record;
    struct challenge challenge = {0};
    bool found = false;
    if (!fleet_need(actor, "certificate.read", err) ||
        !store_find(fleet->db, owner, ASK(CHALLENGE_BY_ID, TEXT(which)), challenge_fields,
                    &challenge, &found, err))
        return false;
    if (found)
        return steps_of(fleet, owner, challenge.id, out, err);
    if (!fleet_certificate_get(fleet, actor, owner, which, &record, err))
        return false;
    return steps_of(fleet, owner, record.challenge_id ? record.challenge_id : "", out, err);
}

/* ---- revoke ---- */

struct revoking {
    struct fleet *fleet;
    const struct certificate_record *record;
    enum revocation_reason reason;
    int64_t now;
};

static bool revoke_run(struct db *tx, void *context, struct err *err)
{
    const struct revoking *r = context;
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "serial", r->record->serial, "subject", r->record->subject, NULL);
    const struct resolving resolving = {
        .fleet = r->fleet, .device_id = r->record->device_id, .now = r->now};
    return store_change_one(tx,
                            ASK(CERTIFICATE_REVOKE, TEXT(r->record->id), INTEGER(r->now),
                                TEXT(revocation_reason_names[r->reason])),
                            "the certificate was revoked before", err) &&
           crl_due(tx, r->now, err) &&
           event_add(tx, "certificate.revoked", r->record->device_id, body, r->now, err) &&
           (!r->record->device_id || device_evaluate(tx, &resolving, err));
}

bool fleet_certificate_revoke(struct fleet *fleet, const struct actor *actor, const char *which,
                              enum revocation_reason reason, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct certificate_record record;
    if (!fleet_certificate_get(fleet, actor, owner, which, &record, err))
        return false;
    struct revoking revoking = {fleet, &record, reason, actor->now};
    struct change change = {.actor = actor,
                            .action = "certificate.revoke",
                            .permission = "certificate.revoke",
                            .subject_kind = "certificate",
                            .subject_id = record.id,
                            .forget = record.enrolment_id,
                            .detail = json_pairs(owner, "serial", record.serial, NULL),
                            .work = revoke_run,
                            .context = &revoking,
                            .wakes = true};
    return fleet_change(fleet, &change, err);
}

bool certificate_seen(struct db *tx, const char *certificate_id, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct certificate_record record = {0};
    int64_t changed = 0;
    if (!store_change(tx, ASK(CERTIFICATE_SEEN, TEXT(certificate_id), INTEGER(now)), &changed, err))
        return false;
    if (changed == 0)
        return true;
    return store_get(tx, owner, ASK(CERTIFICATE_BY_ID, TEXT(certificate_id)), certificate_want(),
                     &record, err) &&
           (!record.challenge_id ||
            step_add(tx, record.challenge_id, STEP_RECEIVED, "ok", "{}", now, err));
}

/* ---- status ---- */

/* The reason and time that an enrolment's state gives to certificates not revoked by themselves. */
static bool state_revokes(const char *state)
{
    static const char *const ending[] = {
        "blocked",           "retiring", "retired", "checked_out",
        "superseded",        "wiping",   "wiped",   "retired_unconfirmed",
        "wiped_unconfirmed", NULL};
    return state && name_find(ending, state) >= 0;
}

bool fleet_certificate_status(struct fleet *fleet, const char *serial,
                              struct certificate_status *out, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(CERTIFICATE_BY_SERIAL, TEXT(serial)), &rows, err))
        return false;
    struct certificate_status status = {0};
    if (rows->count > 0) {
        const char *state = rows_text(rows, 0, "state");
        bool revoked = strcmp(state, certificate_state_names[CERTIFICATE_REVOKED]) == 0 ||
                       strcmp(state, certificate_state_names[CERTIFICATE_HELD]) == 0;
        status.authority = rows_integer(rows, 0, "authority");
        status.is_known = strcmp(state, certificate_state_names[CERTIFICATE_RESERVED]) != 0;
        status.is_revoked = revoked || state_revokes(rows_text(rows, 0, "enrolment_state"));
        status.revoked_at =
            revoked ? rows_integer(rows, 0, "revoked_at") : rows_integer(rows, 0, "left_at");
        status.reason = revocation_reason_code(revoked ? rows_text(rows, 0, "reason")
                                                       : revocation_reason_names[REASON_CESSATION]);
    }
    *out = status;
    return true;
}
