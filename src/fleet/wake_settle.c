/* SPDX-License-Identifier: Apache-2.0 */
/* What came of pushes. */
#include "base/backoff.h"
#include "fleet/address.h"
#include "fleet/door.h"
#include "fleet/wake_batch.h"
#include "model/device.h"
#include "store/store.h"

/* A push may be lost, or its device be off for longer than the service keeps it: what is still open
 * is pushed for again, after a pause that doubles until something new is queued. */
#define AGAIN_FIRST_SECONDS 3600
#define AGAIN_MOST_SECONDS (24 * 3600)
#define LATER_FIRST_SECONDS 30
#define LATER_MOST_SECONDS (6 * 3600)

struct settling {
    void *owner;
    const struct wake_answer *answers;
    size_t count;
    int64_t now;
    const char *person; /* whose channel the answer at hand is about; NULL: of the device */
    /* of command_sent and delivered_sent, job_retry, job_done, wake_again */
    struct batch sent, round, done, again;
};

static void again_add(struct settling *s, const struct wake_answer *answer, int64_t due_at,
                      int64_t uncounted)
{
    const struct value values[] = {TEXT(answer->wake->enrolment_id), INTEGER(due_at),
                                   TEXT(answer->reason), INTEGER(uncounted)};
    batch_add(&s->again, values);
}

static void later_add(struct settling *s, const struct wake_answer *answer)
{
    int64_t seconds =
        backoff_seconds(answer->wake->tries - 1, LATER_FIRST_SECONDS, LATER_MOST_SECONDS);
    again_add(s, answer,
              s->now + (seconds > answer->retry_seconds ? seconds : answer->retry_seconds), 0);
}

static void sent_add(struct settling *s, const struct wake_answer *answer)
{
    const struct wake *wake = answer->wake;
    const struct value values[] = {TEXT(wake->enrolment_id), INTEGER(s->now)};
    if (!wake->is_waited_for) {
        batch_add_done(&s->done, wake);
        return;
    }
    const struct value round[] = {
        TEXT("wake"), TEXT(wake->enrolment_id),
        INTEGER(s->now + backoff_seconds(wake->rounds, AGAIN_FIRST_SECONDS, AGAIN_MOST_SECONDS)),
        TEXT(NULL)};
    batch_add(&s->sent, values);
    batch_add(&s->round, round);
}

/* Of the channel of a person: the device that it is on, for the event. */
static bool device_fill(struct db *tx, struct settling *s, struct enrolment *e, struct err *err)
{
    struct rows *rows = NULL;
    if (e->device_id)
        return true;
    if (!store_rows(tx, s->owner, ASK(USER_CHANNEL_ABOUT, TEXT(e->id)), &rows, err))
        return false;
    if (rows->count > 0) {
        e->device_id = mem_text(s->owner, rows_text(rows, 0, "device_id"));
        s->person = mem_text(s->owner, rows_text(rows, 0, "name"));
    }
    return true;
}

static bool dead_mark(struct db *tx, struct settling *s, const struct wake_answer *answer,
                      const struct enrolment *e, int64_t since, struct err *err)
{
    const char *reason = answer->reason ? answer->reason : "unknown";
    int64_t changed = 0;
    if (!store_change(
            tx, ASK(WAKE_DEAD, TEXT(e->id), INTEGER(s->now), INTEGER(since), TEXT(answer->reason)),
            &changed, err))
        return false;
    if (changed == 0) { /* it told us another address meanwhile */
        later_add(s, answer);
        return true;
    }
    batch_add_done(&s->done, answer->wake);
    return event_add(
        tx, answer->outcome == WAKE_DEAD ? "push.dead" : "push.refused", e->device_id,
        json_pairs(s->owner, "reason", reason, s->person ? "user" : NULL, s->person, NULL), s->now,
        err);
}

/* What the service says holds for the address that was pushed to: not for one that came later. The
 * address before is taken again where there is one. */
static bool mark(struct db *tx, struct settling *s, const struct wake_answer *answer,
                 struct err *err)
{
    struct enrolment e = {0};
    const struct want want = {"enrolment", enrolment_fields};
    const struct wake *wake = answer->wake;
    int64_t since =
        answer->outcome == WAKE_DEAD && answer->dead_since ? answer->dead_since : wake->claimed_at;
    bool put_back = false;
    s->person = NULL;
    if (!store_get(tx, s->owner, ASK(ENROLMENT_BY_ID, TEXT(wake->enrolment_id)), want, &e, err) ||
        !device_fill(tx, s, &e, err))
        return false;
    if (e.push_at <= since && !address_put_back(tx, &e, 0, s->now, &put_back, err))
        return false;
    return put_back || dead_mark(tx, s, answer, &e, since, err);
}

static bool answer_settle(struct db *tx, struct settling *s, const struct wake_answer *answer,
                          struct err *err)
{
    switch (answer->outcome) {
    case WAKE_SENT: sent_add(s, answer); return true;
    case WAKE_LATER: later_add(s, answer); return true;
    case WAKE_HELD: again_add(s, answer, answer->wake->due_at, 1); return true;
    case WAKE_DEAD:
    case WAKE_WRONG: return mark(tx, s, answer, err);
    }
    bug("wake outcome %d", (int)answer->outcome);
}

static bool settle_run(struct db *tx, void *context, struct err *err)
{
    struct settling *s = context;
    s->sent = (struct batch){.owner = s->owner, .width = 2};
    s->round = (struct batch){.owner = s->owner, .width = 4};
    s->done = (struct batch){.owner = s->owner, .width = 3};
    s->again = (struct batch){.owner = s->owner, .width = 4};
    for (size_t i = 0; i < s->count; i++)
        if (!answer_settle(tx, s, &s->answers[i], err))
            return false;
    return batch_run(tx, &SQL_COMMAND_SENT, &s->sent, err) &&
           batch_run(tx, &SQL_DELIVERED_SENT, &s->sent, err) &&
           batch_run(tx, &SQL_JOB_RETRY, &s->round, err) &&
           batch_run(tx, &SQL_JOB_DONE, &s->done, err) &&
           batch_run(tx, &SQL_WAKE_AGAIN, &s->again, err);
}

bool fleet_wake_settle(struct fleet *fleet, const struct wake_answer *answers, size_t count,
                       int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct settling settling = {.owner = owner, .answers = answers, .count = count, .now = now};
    return count == 0 || db_transaction(fleet->db, settle_run, &settling, err);
}

static bool forget_run(struct db *tx, void *context, struct err *err)
{
    return store_change(tx, ASK(ENROLMENT_PUSH_FORGET_BEFORE, TEXT((const char *)context)), NULL,
                        err);
}

bool fleet_wake_forget_before(struct fleet *fleet, const char *enrolment_id, struct err *err)
{
    CLEANUP(mem_free_at) char *id = mem_text(NULL, enrolment_id);
    return db_transaction(fleet->db, forget_run, id, err);
}
