/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to wake: due work, silent devices. */
#include "fleet/wake.h"

#include <string.h>

#include "base/id.h"
#include "fleet/address.h"
#include "fleet/door.h"
#include "fleet/job.h"
#include "fleet/push.h"
#include "fleet/wake_batch.h"
#include "model/device.h"
#include "pki/keyd.h"
#include "store/store.h"

#define DAY_SECONDS INT64_C(86400)
#define TURNS 4096 /* the last three digits of an id */
#define NUDGE_AGAIN_SECONDS (20 * 3600)
#define SPREAD_SECONDS 60
#define ODD_SECONDS 3600 /* an address that cannot be opened: until someone looked */

/* ---- claim ---- */

struct claiming {
    void *owner;
    const char *channel;
    int64_t now;
    size_t most;
    struct rows *rows;
};

static bool claim_run(struct db *tx, void *context, struct err *err)
{
    struct claiming *c = context;
    return store_rows(tx, c->owner,
                      ASK(WAKE_CLAIM, TEXT(c->channel), INTEGER(c->now),
                          INTEGER(c->now + JOB_LEASE_SECONDS), INTEGER((int64_t)c->most)),
                      &c->rows, err);
}

struct target { /* what the database says of an enrolment */
    struct enrolment e;
    bool is_nudged, is_waited_for;
};

static bool targets_load(struct fleet *fleet, const struct claiming *c, struct target **out,
                         size_t *count, struct err *err)
{
    struct value ids[WAKE_CLAIM_MOST] = {0};
    struct rows *rows = NULL;
    for (size_t i = 0; i < c->rows->count; i++)
        ids[i] = TEXT(rows_text(c->rows, i, "subject"));
    const struct ask ask = {&SQL_WAKE_TARGETS, ids, COUNT(ids)};
    if (!store_rows(fleet->db, c->owner, ask, &rows, err))
        return false;
    struct target *targets = mem_array(c->owner, struct target, rows->count + 1);
    for (size_t i = 0; i < rows->count; i++) {
        if (!rows_read(rows, i, enrolment_fields, &targets[i].e, err))
            return false;
        targets[i].is_nudged = rows_integer(rows, i, "is_nudged") != 0;
        targets[i].is_waited_for = rows_integer(rows, i, "is_waited_for") != 0;
    }
    *out = targets;
    *count = rows->count;
    return true;
}

static const struct target *target_find(const struct target *targets, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(targets[i].e.id, id) == 0)
            return &targets[i];
    return NULL;
}

/* A certificate does not reach who enrolled under another topic. */
static bool is_wakeable(const struct target *target, const char *topic)
{
    if (!target || !(target->is_waited_for || target->is_nudged))
        return false;
    const struct enrolment *e = &target->e;
    return !e->ended_at && e->state != ENROLMENT_PENDING && e->state != ENROLMENT_BLOCKED &&
           !e->push_dead_at && e->push_token.data && e->push_magic.data &&
           (!e->topic || strcmp(e->topic, topic) == 0);
}

static bool address_open(struct fleet *fleet, const struct claiming *c, const struct enrolment *e,
                         struct wake *wake, struct err *err)
{
    return keyd_open(fleet->keyd, c->owner, KEYD_CLASS_DEVICE, e->id, e->push_token, &wake->token,
                     err) &&
           keyd_open(fleet->keyd, c->owner, KEYD_CLASS_DEVICE, e->id, e->push_magic, &wake->magic,
                     err) &&
           address_before(fleet, c->owner, e, &wake->token_before, &wake->magic_before, err);
}

struct refusing { /* rows that end, and rows that cannot be read */
    struct batch done, odd;
};

static bool refuse_run(struct db *tx, void *context, struct err *err)
{
    const struct refusing *r = context;
    return batch_run(tx, &SQL_JOB_DONE, &r->done, err) &&
           batch_run(tx, &SQL_WAKE_AGAIN, &r->odd, err);
}

static void odd_add(struct refusing *refusing, const struct wake *wake, int64_t now)
{
    const struct value values[] = {TEXT(wake->enrolment_id), INTEGER(now + ODD_SECONDS),
                                   TEXT("the push address cannot be opened"), INTEGER(0)};
    batch_add(&refusing->odd, values);
}

static struct wake wake_of(const struct claiming *c, size_t row)
{
    return (struct wake){.enrolment_id = mem_text(c->owner, rows_text(c->rows, row, "subject")),
                         .due_at = rows_integer(c->rows, row, "due_at"),
                         .tries = rows_integer(c->rows, row, "tries"),
                         .rounds = rows_integer(c->rows, row, "rounds"),
                         .claimed_at = c->now};
}

/* The claimed rows that can be woken; the others into `refusing`. */
static bool wakes_make(struct fleet *fleet, const struct claiming *c, struct refusing *refusing,
                       struct wake *wakes, size_t *count, struct err *err)
{
    struct target *targets = NULL;
    size_t target_count = 0;
    char *topic = NULL;
    if (!fleet_push_topic(fleet, c->owner, &topic, err) ||
        !targets_load(fleet, c, &targets, &target_count, err))
        return false;
    for (size_t i = 0; i < c->rows->count; i++) {
        struct wake wake = wake_of(c, i);
        const struct target *target = target_find(targets, target_count, wake.enrolment_id);
        if (!is_wakeable(target, topic)) {
            batch_add_done(&refusing->done, &wake);
            continue;
        }
        wake.topic = target->e.topic ? target->e.topic : topic;
        wake.is_waited_for = target->is_waited_for;
        if (address_open(fleet, c, &target->e, &wake, err))
            wakes[(*count)++] = wake;
        else if (err->kind == ERR_UNAVAILABLE)
            return false;
        else
            odd_add(refusing, &wake, c->now);
    }
    return true;
}

bool fleet_wake_claim(struct fleet *fleet, void *owner, const char *channel, int64_t now,
                      size_t most, struct wake **out, size_t *count, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct refusing refusing = {{.owner = scratch, .width = 3}, {.owner = scratch, .width = 4}};
    struct claiming c = {.owner = owner,
                         .channel = channel,
                         .now = now,
                         .most = most < WAKE_CLAIM_MOST ? most : WAKE_CLAIM_MOST};
    int64_t due_at = 0;
    size_t made = 0;
    *count = 0;
    /* looking is a read; only a due row costs the writer */
    if (!store_number(fleet->db, ASK(JOB_NEXT_DUE, TEXT("wake"), INTEGER(now)), "due_at", &due_at,
                      err))
        return false;
    if (due_at == 0 || due_at > now)
        return true;
    struct wake *wakes = mem_array(owner, struct wake, WAKE_CLAIM_MOST);
    if (!db_transaction(fleet->db, claim_run, &c, err) ||
        !wakes_make(fleet, &c, &refusing, wakes, &made, err) ||
        (refusing.done.count + refusing.odd.count > 0 &&
         !db_transaction(fleet->db, refuse_run, &refusing, err)))
        return false;
    *out = wakes;
    *count = made;
    return true;
}

/* ---- silent devices ---- */

/* Each enrolment has its turn of the day: a sweep is spread over it whatever happened before. */
static char *turn_of(void *owner, int64_t at)
{
    return mem_format(owner, "%03x", (unsigned)(at % DAY_SECONDS * TURNS / DAY_SECONDS));
}

struct nudging {
    struct rows *rows;
    int64_t now;
    int64_t *due_at; /* one for each row */
};

static bool nudge_run(struct db *tx, void *context, struct err *err)
{
    const struct nudging *n = context;
    for (size_t i = 0; i < n->rows->count; i++) {
        const char *id = rows_text(n->rows, i, "id");
        if (!store_change(tx, ASK(WAKE_NUDGE, TEXT(id), INTEGER(n->now)), NULL, err) ||
            !job_add(tx, "wake", id, n->due_at[i], err))
            return false;
    }
    return true;
}

static int64_t spread(void)
{
    uint16_t chance;
    random_bytes(&chance, sizeof(chance));
    return chance % SPREAD_SECONDS;
}

bool fleet_wake_sweep(struct fleet *fleet, const struct wake_sweep *sweep, int64_t now,
                      size_t *count, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct push_state state = {0};
    struct nudging nudging = {.now = now};
    *count = 0;
    if (!fleet_push_state(fleet, owner, &state, err))
        return false;
    if (!state.is_active || state.paused_at || state.not_after <= now)
        return true;
    if (!store_rows(fleet->db, owner,
                    ASK(WAKE_SILENT, TEXT(turn_of(owner, sweep->from)),
                        TEXT(turn_of(owner, sweep->until)), INTEGER(now - sweep->silent_seconds),
                        INTEGER(now - NUDGE_AGAIN_SECONDS), TEXT(state.topic),
                        INTEGER((int64_t)sweep->most)),
                    &nudging.rows, err))
        return false;
    if (nudging.rows->count == 0)
        return true;
    nudging.due_at = mem_array(owner, int64_t, nudging.rows->count);
    for (size_t i = 0; i < nudging.rows->count; i++)
        nudging.due_at[i] = now + spread();
    if (!db_transaction(fleet->db, nudge_run, &nudging, err))
        return false;
    *count = nudging.rows->count;
    return true;
}
