/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/network.h"

#include "base/id.h"
#include "codec/json.h"
#include "fleet/alternatives.h"
#include "fleet/challenge.h"
#include "fleet/door.h"
#include "fleet/step.h"
#include "model/certificate.h"
#include "pki/keyd.h"
#include "store/store.h"

#define PURPOSE "network"
#define CHALLENGE_LIFE (24 * 3600) /* seconds, where nobody says */
#define CHALLENGE_LONGEST (90 * 24 * 3600)

/* ---- making ---- */

static bool make_run(struct db *tx, void *context, struct err *err)
{
    return challenge_insert(tx, context, err);
}

static bool expectation_make(void *owner, const struct network_challenge *wish, char **text,
                             struct err *err)
{
    char *common_name, *organization;
    struct split_alternatives split;
    const char *names = wish->alternative_names ? wish->alternative_names : "";
    if (!subject_split(owner, wish->subject, &common_name, &organization, err) ||
        !alternatives_split(owner, names, &split, err))
        return false;
    CLEANUP(json_decref_at)
    json_t *json = json_pack("{s:s, s:s*, s:s}", "common_name", common_name, "organization",
                             organization, "alternatives", names);
    if (!json)
        return err_at(err, ERR_BAD_INPUT, "/subject", "it is not UTF-8");
    *text = json_canonical(owner, json);
    return true;
}

bool fleet_network_challenge_make(struct fleet *fleet, const struct actor *actor, void *owner,
                                  const struct network_challenge *wish,
                                  struct network_challenge *out, struct err *err)
{
    struct network_challenge made = *wish;
    char *expectation;
    if (made.expires_at == 0)
        made.expires_at = actor->now + CHALLENGE_LIFE;
    if (made.expires_at <= actor->now || made.expires_at > actor->now + CHALLENGE_LONGEST)
        return err_at(err, ERR_BAD_INPUT, "/expires_at",
                      "a challenge must end within the next 90 days");
    if (!fleet_need(actor, "certificate.challenge", err) ||
        !expectation_make(owner, wish, &expectation, err))
        return false;
    made.id = id_make(owner);
    made.challenge = random_text(owner, CHALLENGE_BITS);
    struct challenge_wish row = {.id = made.id,
                                 .expectation = expectation,
                                 .purpose = PURPOSE,
                                 .subject = made.subject,
                                 .created_by = actor->name,
                                 .needs_approval = made.needs_approval,
                                 .now = actor->now,
                                 .expires_at = made.expires_at};
    if (!keyd_mac(fleet->keyd, KEYD_MAC_CHALLENGE, bytes_text(made.challenge), row.mac, err))
        return false;
    struct change change = {.actor = actor,
                            .action = "certificate.challenge",
                            .permission = "certificate.challenge",
                            .subject_kind = "certificate_request",
                            .subject_id = made.id,
                            .detail = expectation,
                            .work = make_run,
                            .context = &row};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = made;
    return true;
}

/* ---- deciding ---- */

struct decision {
    const struct challenge *challenge;
    const struct actor *actor;
    bool is_approved;
};

static bool decide_run(struct db *tx, void *context, struct err *err)
{
    const struct decision *d = context;
    const char *id = d->challenge->id;
    int64_t now = d->actor->now;
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "request", id, "subject", d->challenge->subject, "by",
                            d->actor->name, NULL);
    const struct ask ask =
        d->is_approved ? ASK(CHALLENGE_APPROVE, TEXT(id), INTEGER(now), TEXT(d->actor->name))
                       : ASK(CHALLENGE_DENY, TEXT(id), INTEGER(now), TEXT(d->actor->name));
    return store_change_one(tx, ask,
                            d->is_approved ? "the request does not wait for an approval"
                                           : "the request was answered or withdrawn before",
                            err) &&
           step_add(tx, id, STEP_CONFIRMED, d->is_approved ? "ok" : "refused", body, now, err) &&
           event_add(tx, d->is_approved ? "certificate.approved" : "certificate.denied", NULL, body,
                     now, err);
}

static bool decide(struct fleet *fleet, const struct actor *actor, const char *id, bool is_approved,
                   struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct challenge challenge = {0};
    const struct want want = {"certificate request", challenge_fields};
    if (!fleet_need(actor, "certificate.approve", err) ||
        !store_get(fleet->db, owner, ASK(CHALLENGE_BY_ID, TEXT(id)), want, &challenge, err))
        return false;
    struct decision decision = {&challenge, actor, is_approved};
    struct change change = {.actor = actor,
                            .action = is_approved ? "certificate.approve" : "certificate.deny",
                            .permission = "certificate.approve",
                            .subject_kind = "certificate_request",
                            .subject_id = challenge.id,
                            .detail = json_pairs(owner, "subject", challenge.subject, NULL),
                            .work = decide_run,
                            .context = &decision};
    return fleet_change(fleet, &change, err);
}

bool fleet_request_approve(struct fleet *fleet, const struct actor *actor, const char *id,
                           struct err *err)
{
    return decide(fleet, actor, id, true, err);
}

bool fleet_request_deny(struct fleet *fleet, const struct actor *actor, const char *id,
                        struct err *err)
{
    return decide(fleet, actor, id, false, err);
}
