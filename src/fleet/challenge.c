/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/challenge.h"

#include "base/id.h"
#include "base/text.h"
#include "codec/json.h"
#include "fleet/authority.h"
#include "fleet/door.h"
#include "fleet/step.h"
#include "fleet/upkeep.h"
#include "model/certificate.h"
#include "pki/keyd.h"
#include "store/store.h"

#define KEY_BITS 2048
#define KEY_USAGE 5 /* Apple's mask: sign and encrypt */

/* What a certificate request must ask for; fleet/issue.c compares. */
static char *expectation_text(void *owner, const struct enrolment_start *start)
{
    CLEANUP(json_decref_at)
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "common_name", start->common_name, "organization",
                  start->organization, "san_uri", start->san_uri, "key_bits",
                  (json_int_t)start->key_bits, "key_usage", (json_int_t)start->key_usage);
    if (!json)
        bug("no expectation");
    return json_canonical(owner, json);
}

static bool organization_name(struct fleet *fleet, void *owner, char **out, struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK_ALL(ORGANIZATION_GET), &rows, err))
        return false;
    *out = mem_text(owner, rows->count > 0 ? rows_text(rows, 0, "name") : "Muster");
    return true;
}

bool challenge_prepare(struct fleet *fleet, void *owner, const char *enrolment_id, int64_t now,
                       struct enrolment_start *start, struct challenge_wish *wish, struct err *err)
{
    struct enrolment_start filled = {.enrolment_id = mem_text(owner, enrolment_id),
                                     .challenge = random_text(owner, CHALLENGE_BITS),
                                     .common_name = mem_text(owner, enrolment_id),
                                     .san_uri = mem_format(owner, "urn:uuid:%s", enrolment_id),
                                     .key_bits = KEY_BITS,
                                     .key_usage = KEY_USAGE};
    struct challenge_wish made = {.id = id_make(owner),
                                  .enrolment_id = filled.enrolment_id,
                                  .now = now,
                                  .expires_at = now + fleet->settings->challenge_seconds,
                                  .authority = fleet_authority_signer(fleet)};
    if (!organization_name(fleet, owner, &filled.organization, err) ||
        !keyd_mac(fleet->keyd, KEYD_MAC_CHALLENGE, bytes_text(filled.challenge), made.mac, err))
        return false;
    made.expectation = expectation_text(owner, &filled);
    *start = filled;
    *wish = made;
    return true;
}

bool challenge_insert(struct db *tx, const struct challenge_wish *wish, struct err *err)
{
    return store_change(tx,
                        ASK(CHALLENGE_INSERT, TEXT(wish->id), BYTES(BYTES_OF(wish->mac)),
                            TEXT(wish->enrolment_id),
                            TEXT(wish->purpose ? wish->purpose : CHALLENGE_PURPOSE),
                            TEXT(wish->expectation), INTEGER(wish->now), INTEGER(wish->expires_at),
                            TEXT(wish->renews), TEXT(wish->subject), TEXT(wish->created_by),
                            INTEGER(wish->needs_approval)),
                        NULL, err) &&
           step_add(tx, wish->id, STEP_PROFILE_MADE, "ok", wish->expectation, wish->now, err) &&
           step_add(tx, wish->id, STEP_RENDERED, "ok", "{}", wish->now, err);
}

/* ---- the end of their time ---- */

struct lapsing {
    const struct rows *rows;
    int64_t now;
};

static bool lapse(struct db *tx, const struct lapsing *l, size_t row, struct err *err)
{
    const char *id = rows_text(l->rows, row, "id"), *state = rows_text(l->rows, row, "state");
    int64_t changed = 0;
    if (!store_change(tx, ASK(CHALLENGE_LAPSE, TEXT(id), INTEGER(l->now)), &changed, err))
        return false;
    if (changed == 0 || text_equal(state, challenge_state_names[CHALLENGE_DELIVERED]))
        return true;
    bool was_approved = text_equal(state, challenge_state_names[CHALLENGE_APPROVED]);
    CLEANUP(mem_free_at)
    char *body = json_pairs(
        NULL, "request", id, "subject", rows_text(l->rows, row, "subject"), "reason",
        was_approved ? "the certificate was not fetched in time" : "nobody has decided in time",
        NULL);
    return step_add(tx, id, STEP_CONFIRMED, "refused", body, l->now, err) &&
           event_add(tx, "certificate.request_expired", NULL, body, l->now, err);
}

static bool lapse_run(struct db *tx, void *context, struct err *err)
{
    const struct lapsing *l = context;
    for (size_t i = 0; i < l->rows->count; i++)
        if (!lapse(tx, l, i, err))
            return false;
    return true;
}

bool fleet_requests_expire(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                           struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct actor system = fleet_system_actor(now);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner, ASK(CHALLENGE_LAPSED, INTEGER(now), INTEGER(limit)), &rows,
                    err))
        return false;
    struct lapsing lapsing = {rows, now};
    const struct change change = {
        .actor = &system, .work = lapse_run, .context = &lapsing, .wakes = true};
    if (rows->count > 0 && !fleet_change(fleet, &change, err))
        return false;
    *count = rows->count;
    return true;
}
