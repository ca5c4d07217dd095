/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a command: the answer of its device, and all that follows from it. */
#include <string.h>

#include "fleet/act.h"
#include "fleet/attest.h"
#include "fleet/carrier.h"
#include "fleet/door.h"
#include "fleet/escrow.h"
#include "fleet/inventory.h"
#include "fleet/leave.h"
#include "fleet/position.h"
#include "fleet/queue.h"
#include "fleet/refusal.h"
#include "fleet/rival.h"
#include "fleet/saved.h"
#include "store/store.h"

struct finish {
    void *owner;
    struct fleet *fleet;
    const struct identity *identity;
    const struct command_result *result;
    int64_t now;
    enum result_outcome outcome;
    struct command command;
    enum command_answer answer; /* of the device, as it counts for this command */
    struct bytes secret;        /* of the result, sealed */
};

static bool item_finish(struct db *tx, const struct finish *f, enum command_state state,
                        struct err *err)
{
    const struct command *command = &f->command;
    const char *hash = f->answer == ANSWER_DONE ? f->result->item_hash : NULL;
    if (command->kind == COMMAND_REMOVE_ITEM && f->answer == ANSWER_DONE)
        return store_change(
            tx, ASK(DELIVERED_REMOVE, TEXT(f->identity->enrolment_id), TEXT(command->item)), NULL,
            err);
    return store_change(tx,
                        ASK(DELIVERED_STATE, TEXT(f->identity->enrolment_id), TEXT(command->item),
                            TEXT(command_state_names[state]), TEXT(hash),
                            TEXT(state == COMMAND_FAILED ? f->result->reason : NULL),
                            TEXT(state == COMMAND_FAILED ? f->result->remedy : NULL),
                            INTEGER(f->now)),
                        NULL, err);
}

/* After a change of items the device is asked what it has now, and how safe it is. */
static bool ask_back(struct db *tx, const struct finish *f, struct err *err)
{
    const char *id = f->identity->enrolment_id;
    return query_add(tx, id, COMMAND_QUERY_ITEMS, f->now, err) &&
           (f->identity->is_person || query_add(tx, id, COMMAND_QUERY_SECURITY, f->now, err));
}

static bool items_finish(struct db *tx, const struct finish *f, struct err *err)
{
    struct rows *rows = NULL;
    if (!f->result->has_items)
        return true;
    if (!store_rows(tx, f->owner, ASK(DELIVERED_LIST, TEXT(f->identity->enrolment_id)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        struct delivered row = {0};
        if (!rows_read(rows, i, delivered_fields, &row, err) ||
            !item_compare(tx, &(struct comparing){f->identity, f->result, &row, f->now}, err))
            return false;
    }
    return true;
}

static bool leaving_finish(struct db *tx, const struct finish *f, struct err *err)
{
    bool is_wipe = f->command.kind == COMMAND_WIPE;
    struct leaving leaving = {.enrolment_id = f->identity->enrolment_id,
                              .device_id = f->identity->device_id,
                              .state = is_wipe ? ENROLMENT_WIPED : ENROLMENT_RETIRED,
                              .reason = REASON_CESSATION,
                              .now = f->now};
    return enrolment_leave(tx, &leaving, err);
}

static bool end_command(struct db *tx, const struct finish *f, enum command_state state,
                        struct err *err)
{
    bool failed = state == COMMAND_FAILED;
    /* a token of declarations is an item, too, and another one each time */
    bool has_items =
        f->command.kind == COMMAND_INSTALL_ITEM || f->command.kind == COMMAND_REMOVE_ITEM;
    return store_change_one(tx,
                            ASK(COMMAND_FINISH, TEXT(f->command.id),
                                TEXT(command_state_names[state]), INTEGER(f->now),
                                TEXT(failed ? f->result->reason : NULL),
                                TEXT(failed ? f->result->remedy : NULL)),
                            "the command has ended meanwhile", err) &&
           commands_outdate(tx, f->identity->enrolment_id, command_kind_names[f->command.kind],
                            has_items ? f->command.item : NULL, err);
}

static bool failed_finish(struct db *tx, const struct finish *f, struct err *err)
{
    CLEANUP(mem_free_at)
    char *body = json_pairs(NULL, "command", f->command.id, "kind",
                            command_kind_names[f->command.kind], "reason", f->result->reason, NULL);
    return end_command(tx, f, COMMAND_FAILED, err) &&
           (!f->command.item || item_finish(tx, f, COMMAND_FAILED, err)) &&
           (f->command.kind != COMMAND_RENEW_IDENTITY ||
            renewal_failed(tx, f->identity, &f->command, f->result->reason, f->now, err)) &&
           (f->command.kind != COMMAND_DECLARE ||
            declare_failed(tx, f->identity, f->result, f->now, err)) &&
           event_add(tx, "command.failed", f->identity->device_id, body, f->now, err);
}

/* What an answer of one kind brings along. */
static bool kind_finish(struct db *tx, const struct finish *f, struct err *err)
{
    const struct command_result *result = f->result;
    const char *enrolment = f->identity->enrolment_id;
    const struct kept kept = {f->identity->device_id, enrolment, f->secret, f->now};
    switch ((enum command_kind)f->command.kind) {
    case COMMAND_LOCATE:
        return !result->position ||
               position_save(tx, f->identity->device_id, result->position, f->now, err);
    case COMMAND_QUERY_BYPASS_CODE: return escrow_keep(tx, ESCROW_BYPASS_CODE, &kept, err);
    case COMMAND_DISABLE_LOST_MODE: /* what it refused while it was lost */
        return failed_queue(tx, enrolment, f->now, err) &&
               query_add(tx, enrolment, COMMAND_QUERY_DEVICE, f->now, err);
    case COMMAND_ENABLE_LOST_MODE:
    case COMMAND_RENAME: return query_add(tx, enrolment, COMMAND_QUERY_DEVICE, f->now, err);
    case COMMAND_CLEAR_PASSCODE:
        return query_add(tx, enrolment, COMMAND_QUERY_SECURITY, f->now, err);
    case COMMAND_INSTALL_ITEM:
    case COMMAND_REMOVE_ITEM:
    case COMMAND_QUERY_DEVICE:
    case COMMAND_QUERY_SECURITY:
    case COMMAND_QUERY_ITEMS:
    case COMMAND_LOCK:
    case COMMAND_WIPE:
    case COMMAND_RETIRE:
    case COMMAND_RESTART:
    case COMMAND_SYNC:
    case COMMAND_SHUT_DOWN:
    case COMMAND_RENEW_IDENTITY:
    case COMMAND_QUERY_APPS:
    case COMMAND_QUERY_MANAGED_APPS:
    case COMMAND_QUERY_CERTIFICATES:
    case COMMAND_DECLARE:
    case COMMAND_ATTEST:       /* facts_finish */
    case COMMAND_FINISH_SETUP: /* fleet/automated.c looks */
    case COMMAND_PLAY_SOUND: return true;
    }
    bug("kind %d", f->command.kind);
}

/* What the answer reports, and what an attestation proves. */
static bool facts_finish(struct db *tx, const struct finish *f, struct err *err)
{
    struct observed observed = {.fleet = f->fleet,
                                .device_id = f->identity->device_id,
                                .enrolment_id = f->identity->enrolment_id,
                                .facts = f->result->facts,
                                .count = f->result->fact_count,
                                .now = f->now};
    const struct attesting attesting = {f->owner, f->identity, f->result, f->now};
    if (f->identity->is_person)
        return true; /* it says nothing of the device */
    if (f->command.kind == COMMAND_ATTEST &&
        !attestation_weigh(tx, &attesting, &observed.facts, &observed.count, err))
        return false;
    return facts_save(tx, &observed, err);
}

static bool done_finish(struct db *tx, const struct finish *f, struct err *err)
{
    if (!end_command(tx, f, COMMAND_APPLIED, err))
        return false;
    if (f->command.kind == COMMAND_WIPE || f->command.kind == COMMAND_RETIRE)
        return leaving_finish(tx, f, err);
    if (f->command.kind == COMMAND_RENEW_IDENTITY)
        return renewal_finished(tx, f->identity, &f->command, f->now, err);
    if (f->command.kind == COMMAND_DECLARE)
        return true; /* what it fetches and makes of it, it reports */
    const struct telling telling = {f->identity->device_id, (enum command_kind)f->command.kind,
                                    f->result->list, f->now};
    if (!kind_finish(tx, f, err) || !inventory_save(tx, &telling, err))
        return false;
    if (f->command.item && !(item_finish(tx, f, COMMAND_APPLIED, err) && ask_back(tx, f, err)))
        return false;
    return items_finish(tx, f, err) && facts_finish(tx, f, err) &&
           (f->command.kind != COMMAND_QUERY_DEVICE ||
            bypass_code_ask(tx, f->identity->enrolment_id, f->now, err));
}

/* What is not there needs no removal; anything else that fails so has failed. */
static enum command_answer answer_of(const struct finish *f)
{
    bool removes = f->command.kind == COMMAND_REMOVE_ITEM || f->command.kind == COMMAND_RETIRE;
    bool fulfilled = f->result->answer == ANSWER_FAILED && f->result->is_absent && removes;
    return fulfilled ? ANSWER_DONE : f->result->answer;
}

static bool unknown_tell(struct db *tx, const struct finish *f, struct err *err)
{
    const struct refusal_wish wish = {
        .kind = "command.unknown",
        .peer = f->identity->enrolment_id,
        .device_id = f->identity->device_id,
        .detail = json_pairs(f->owner, "command", f->result->command_id, NULL),
        .now = f->now};
    return refusal_add(tx, &wish, err);
}

static bool finish_run(struct db *tx, void *context, struct err *err)
{
    struct finish *f = context;
    bool found = false;
    f->command = (struct command){0};
    f->outcome = RESULT_UNKNOWN;
    if (!store_find(tx, f->owner, ASK(COMMAND_BY_ID, TEXT(f->result->command_id)), command_fields,
                    &f->command, &found, err))
        return false;
    if (!found || strcmp(f->command.enrolment_id, f->identity->enrolment_id) != 0 ||
        f->command.delivered_at == 0)
        return unknown_tell(tx, f, err);
    f->outcome = f->command.finished_at ? RESULT_REPEATED : RESULT_TAKEN;
    if (f->outcome == RESULT_REPEATED)
        return true;
    f->answer = answer_of(f);
    if (f->answer == ANSWER_NOT_NOW)
        return store_change(tx, ASK(COMMAND_DEFER, TEXT(f->command.id)), NULL, err);
    /* what kept the device from it is over */
    if (f->command.put_off > 0 &&
        !store_change(tx, ASK(COMMAND_PUT_OFF_FORGET, TEXT(f->identity->enrolment_id)), NULL, err))
        return false;
    switch (f->answer) {
    case ANSWER_NOT_NOW: break;
    case ANSWER_FAILED: return failed_finish(tx, f, err);
    case ANSWER_DONE: return done_finish(tx, f, err);
    }
    bug("answer %d", (int)f->answer);
}

bool fleet_command_finish(struct fleet *fleet, const struct actor *actor,
                          const struct identity *identity, const struct command_result *result,
                          enum result_outcome *outcome, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct finish finish = {
        .owner = owner, .fleet = fleet, .identity = identity, .result = result, .now = actor->now};
    if (result->secret && identity->device_id &&
        !escrow_seal(
            fleet, owner,
            &(struct escrowed){ESCROW_BYPASS_CODE, identity->device_id, bytes_text(result->secret)},
            &finish.secret, err))
        return false;
    struct change change = {.actor = actor,
                            .work = finish_run,
                            .context = &finish,
                            .forget = identity->enrolment_id,
                            .wakes = true};
    /* it ended between our look and our word: then this is a repeat */
    if (!fleet_change(fleet, &change, err) &&
        (err->kind != ERR_CONFLICT || !fleet_change(fleet, &change, err)))
        return false;
    *outcome = finish.outcome;
    return true;
}

struct refusal {
    void *owner;
    const struct identity *identity;
    const char *id, *reason, *remedy;
    int64_t now;
};

/* One that went out before is refused for the next time only: what came of it the device knows. */
static bool refuse_run(struct db *tx, void *context, struct err *err)
{
    const struct refusal *refusal = context;
    struct command_result result = {.command_id = refusal->id,
                                    .answer = ANSWER_FAILED,
                                    .reason = refusal->reason,
                                    .remedy = refusal->remedy};
    struct finish finish = {.owner = refusal->owner,
                            .identity = refusal->identity,
                            .result = &result,
                            .answer = ANSWER_FAILED,
                            .now = refusal->now};
    const struct want want = {"command", command_fields};
    if (!store_get(tx, refusal->owner, ASK(COMMAND_BY_ID, TEXT(refusal->id)), want, &finish.command,
                   err))
        return false;
    if (finish.command.finished_at)
        return true; /* another one took its place */
    if (finish.command.attempts > 1)
        result.reason = mem_format(refusal->owner,
                                   "It was sent before, and the device may have carried it out: %s",
                                   refusal->reason);
    return failed_finish(tx, &finish, err);
}

bool fleet_command_refuse(struct fleet *fleet, const struct actor *actor,
                          const struct identity *identity, const char *id, const char *reason,
                          const char *remedy, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct refusal refusal = {owner, identity, id, reason, remedy, actor->now};
    struct change change = {
        .actor = actor, .work = refuse_run, .context = &refusal, .forget = identity->enrolment_id};
    return fleet_change(fleet, &change, err);
}
