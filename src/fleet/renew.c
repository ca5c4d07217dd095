/* SPDX-License-Identifier: Apache-2.0 */
/* Which identities are due, and what the device is given. */
#include "fleet/renew.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/text.h"
#include "fleet/challenge.h"
#include "fleet/door.h"
#include "fleet/queue.h"
#include "fleet/shared.h"
#include "model/device.h"
#include "pki/digest.h"
#include "store/store.h"

/* Between two tries: doubled each time, never more than an eighth of what is left of the life. */
#define AGAIN_FIRST_SECONDS 3600
#define AGAIN_MOST_SECONDS (24 * 3600)
#define AGAIN_LEAST_SECONDS 300

/* ---- when ---- */

int64_t renewal_opens_at(const struct fleet_settings *wishes, int64_t not_before, int64_t not_after)
{
    return not_after - (not_after - not_before) * wishes->renew_percent / 100;
}

/* 0..scale-1, always the same for the same texts. */
static int64_t chance_of(const char *id, int64_t number, int64_t scale)
{
    uint8_t digest[32];
    char seed[96];
    (void)snprintf(seed, sizeof(seed), "renewal %.64s %" PRId64, id, number);
    digest_sha256(bytes_text(seed), digest);
    uint32_t chance = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                      (uint32_t)digest[2] << 8 | digest[3];
    return (int64_t)chance * scale / ((int64_t)UINT32_MAX + 1);
}

int64_t renewal_planned_at(const struct fleet_settings *wishes, const char *enrolment_id,
                           int64_t not_before, int64_t not_after)
{
    int64_t opens_at = renewal_opens_at(wishes, not_before, not_after);
    return opens_at + chance_of(enrolment_id, 0, (not_after - opens_at) / 2);
}

struct due {
    char *id, *serial, *enrolment_id, *device_id;
    int64_t not_before, not_after, renew_at, renew_tries;
    int64_t moved_at; /* since when another authority issues; 0: its own one does */
    bool is_open;
};
static const struct field due_rows[] = {
    TEXT_FIELD(struct due, id, 0),           TEXT_FIELD(struct due, serial, 0),
    TEXT_FIELD(struct due, enrolment_id, 0), TEXT_FIELD(struct due, device_id, 0),
    TIME_FIELD(struct due, not_before, 0),   TIME_FIELD(struct due, not_after, 0),
    TIME_FIELD(struct due, renew_at, 0),     INTEGER_FIELD(struct due, renew_tries, 0),
    BOOLEAN_FIELD(struct due, is_open, 0),   TIME_FIELD(struct due, moved_at, 0),
};

/* After a rollover: a moment of its own within the time that is given to all, and within the first
 * half of what is left of its life. */
static int64_t moved_at(const struct fleet_settings *wishes, const struct due *due)
{
    int64_t left = (due->not_after - due->moved_at) / 2;
    int64_t window = wishes->rollover_seconds < left ? wishes->rollover_seconds : left;
    return due->moved_at + (window > 0 ? chance_of(due->enrolment_id, -1, window) : 0);
}

static int64_t due_at(const struct fleet_settings *wishes, const struct due *due)
{
    int64_t planned =
        renewal_planned_at(wishes, due->enrolment_id, due->not_before, due->not_after);
    int64_t moved = due->moved_at ? moved_at(wishes, due) : planned;
    return moved < planned ? moved : planned;
}

static int64_t again_at(const struct due *due, int64_t now)
{
    int64_t pause = backoff_doubled(due->renew_tries, AGAIN_FIRST_SECONDS, AGAIN_MOST_SECONDS);
    int64_t left = (due->not_after - now) / 8;
    pause = pause < left ? pause : left;
    pause = pause > AGAIN_LEAST_SECONDS ? pause : AGAIN_LEAST_SECONDS;
    return now + pause + chance_of(due->enrolment_id, due->renew_tries + 1, pause / 4 + 1);
}

/* ---- the job ---- */

struct queueing {
    const struct fleet_settings *settings;
    const struct due *due;
    size_t count;
    int64_t now;
};

static bool plan(struct db *tx, const struct due *due, int64_t renew_at, int64_t tries, bool *taken,
                 struct err *err)
{
    int64_t changed = 0;
    if (!store_change(tx,
                      ASK(RENEWAL_PLAN, TEXT(due->id), TIME(renew_at), INTEGER(tries),
                          INTEGER(due->renew_at)),
                      &changed, err))
        return false;
    *taken = changed == 1;
    return true;
}

static bool due_event(struct db *tx, const struct due *due, const char *kind, int64_t now,
                      struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const char *tries = mem_format(owner, "%" PRId64, due->renew_tries);
    const char *body = json_pairs(owner, "serial", due->serial, "until",
                                  time_text(owner, due->not_after), "tries", tries, NULL);
    return event_add(tx, kind, due->device_id, body, now, err);
}

/* Said with the 1st, 2nd, 4th, 8th, … repeat: the history of a device that is off stays readable.
 */
static bool is_worth_saying(int64_t tries)
{
    return tries > 0 && (tries & (tries - 1)) == 0;
}

static bool due_queue(struct db *tx, const struct queueing *q, const struct due *due,
                      struct err *err)
{
    const struct queued queued = {.enrolment_id = due->enrolment_id,
                                  .kind = COMMAND_RENEW_IDENTITY,
                                  .created_by = "system",
                                  .now = q->now};
    if (due->renew_tries == 0 && !due_event(tx, due, "identity.renewal_due", q->now, err))
        return false;
    if (is_worth_saying(due->renew_tries) &&
        !due_event(tx, due, "identity.renewal_overdue", q->now, err))
        return false;
    return due->is_open || command_queue(tx, &queued, err);
}

/* Not yet its turn, too late, or now. */
static bool due_handle(struct db *tx, const struct queueing *q, const struct due *due,
                       struct err *err)
{
    int64_t planned = due_at(q->settings, due);
    bool taken = false;
    if (due->not_after <= q->now)
        return plan(tx, due, 0, due->renew_tries, &taken, err) &&
               (!taken || due_event(tx, due, "identity.ended", q->now, err));
    if (due->renew_tries == 0 && planned > q->now)
        return plan(tx, due, planned, 0, &taken, err);
    return plan(tx, due, again_at(due, q->now), due->renew_tries + 1, &taken, err) &&
           (!taken || due_queue(tx, q, due, err));
}

static bool queue_run(struct db *tx, void *context, struct err *err)
{
    const struct queueing *q = context;
    for (size_t i = 0; i < q->count; i++)
        if (!due_handle(tx, q, &q->due[i], err))
            return false;
    return true;
}

bool fleet_renewals_queue(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                          struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    const struct actor system = fleet_system_actor(now);
    struct queueing q = {.settings = fleet->settings, .now = now};
    void *items = NULL;
    if (!store_list(fleet->db, owner, ASK(RENEWAL_DUE, INTEGER(now), INTEGER(limit)),
                    FIELDS(due_rows), sizeof(struct due), &items, &q.count, err))
        return false;
    q.due = items;
    struct change change = {.actor = &system, .work = queue_run, .context = &q, .wakes = true};
    if (q.count > 0 && !fleet_change(fleet, &change, err))
        return false;
    for (size_t i = 0; i < q.count; i++)
        shared_forget(fleet->shared, q.due[i].enrolment_id);
    *count = q.count;
    return true;
}

/* ---- what the device is given ---- */

static bool start_run(struct db *tx, void *context, struct err *err)
{
    const struct challenge_wish *wish = context;
    return store_change(
               tx,
               ASK(CHALLENGE_CANCEL_OF_PURPOSE, TEXT(wish->enrolment_id), TEXT(CHALLENGE_PURPOSE)),
               NULL, err) &&
           challenge_insert(tx, wish, err);
}

bool fleet_renewal_start(struct fleet *fleet, const struct actor *actor, void *owner,
                         const struct identity *identity, struct enrolment_start *out, char **topic,
                         struct err *err)
{
    struct enrolment enrolment = {0};
    struct enrolment_start start;
    struct challenge_wish wish;
    struct rows *link = NULL;
    const struct want want = {"enrolment", enrolment_fields};
    if (!store_get(fleet->db, owner, ASK(ENROLMENT_BY_ID, TEXT(identity->enrolment_id)), want,
                   &enrolment, err))
        return false;
    if (enrolment.state != ENROLMENT_ACTIVE || !enrolment.topic)
        return err_set(err, ERR_PRECONDITION, "The device is not managed any more.");
    if (!challenge_prepare(fleet, owner, enrolment.id, actor->now, &start, &wish, err) ||
        !store_rows(fleet->db, owner, ASK(ENROLMENT_LINK_OF, TEXT(enrolment.id)), &link, err))
        return false;
    start.ownership = link->count ? name_find(ownership_names, rows_text(link, 0, "ownership"))
                                  : OWNERSHIP_COMPANY;
    start.mode =
        link->count ? name_find(enrolment_mode_names, rows_text(link, 0, "mode")) : MODE_DEVICE;
    const char *account = link->count ? rows_text(link, 0, "apple_account") : NULL;
    start.apple_account = account ? mem_text(owner, account) : NULL;
    start.takes_users = enrolment.takes_users;
    wish.renews = identity->certificate_id;
    const struct change change = {.actor = actor, .work = start_run, .context = &wish};
    if (!fleet_change(fleet, &change, err))
        return false;
    *out = start;
    *topic = enrolment.topic;
    return true;
}
