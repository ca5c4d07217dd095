/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet.h"

#include <errno.h>
#include <time.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "fleet/attempt.h"
#include "fleet/door.h"
#include "fleet/job.h"
#include "fleet/leave.h"
#include "fleet/mac_cache.h"
#include "fleet/password.h"
#include "fleet/shared.h"
#include "pki/digest.h"
#include "pki/keyd.h"
#include "store/store.h"

static int shared_end(struct fleet_shared *shared)
{
    pthread_mutex_destroy(&shared->contact_lock);
    pthread_mutex_destroy(&shared->job_lock);
    pthread_cond_destroy(&shared->job_wake);
    return 0;
}

struct fleet_shared *fleet_shared_make(void *owner, const struct fleet_settings *wishes)
{
    struct fleet_shared *shared = mem_new(owner, struct fleet_shared);
    pthread_condattr_t monotonic;
    shared->settings = wishes;
    atomic_store(&shared->authority, 1);
    atomic_store(&shared->signer, 1);
    if (pthread_mutex_init(&shared->contact_lock, NULL) != 0 ||
        pthread_mutex_init(&shared->job_lock, NULL) != 0 ||
        pthread_condattr_init(&monotonic) != 0 ||
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&shared->job_wake, &monotonic) != 0)
        bug("no mutex");
    (void)pthread_condattr_destroy(&monotonic);
    shared->identities = identity_cache_make(shared);
    shared->attempts = attempts_make(shared);
    shared->tokens = mac_cache_make(shared);
    shared->hashing = hashing_make(shared);
    mem_destructor(shared, shared_end);
    return shared;
}

struct fleet *fleet_of_memory(void *owner, struct fleet_shared *shared)
{
    struct fleet *fleet = mem_new(owner, struct fleet);
    fleet->shared = shared;
    fleet->settings = shared->settings;
    return fleet;
}

bool fleet_open(void *owner, struct database *database, struct keyd *keyd,
                struct fleet_shared *shared, struct fleet **out, struct err *err)
{
    CLEANUP(mem_free_at) struct fleet *fleet = mem_new(NULL, struct fleet);
    fleet->keyd = keyd;
    fleet->shared = shared;
    fleet->settings = shared->settings;
    if (!db_connect(fleet, database, &fleet->db, err))
        return err_context(err, "opening the store");
    *out = mem_give(owner, &fleet);
    return true;
}

struct first_start {
    const char *organization;
    const struct fleet_settings *settings;
    int64_t now;
};

/* Verdicts are weighed again when what they rest on may be older or younger than before. */
static bool limits_keep(struct db *tx, void *owner, const struct fleet_settings *wanted,
                        struct err *err)
{
    int64_t changed = 0;
    const char *limits = mem_format(owner, "%lld,%lld", (long long)wanted->evidence_seconds,
                                    (long long)wanted->integrity_seconds);
    return store_change(tx, ASK(ORGANIZATION_EVIDENCE_SET, TEXT(limits)), &changed, err) &&
           (changed == 0 || store_change(tx, ASK_ALL(COMPLIANCE_ALL_DUE), NULL, err));
}

/* Devices are planned again when they may take another way than before. */
static bool ways_keep(struct db *tx, const struct fleet_settings *wanted, int64_t now,
                      struct err *err)
{
    int64_t changed = 0;
    const char *ways = wanted->declared_profiles ? "profiles declared" : "profiles by command";
    return store_change(tx, ASK(ORGANIZATION_WAYS_SET, TEXT(ways)), &changed, err) &&
           (changed == 0 || (store_change(tx, ASK_ALL(DESIRED_UNPLAN_ALL), NULL, err) &&
                             job_add(tx, "plan", "all", now, err)));
}

static bool first_start_run(struct db *tx, void *context, struct err *err)
{
    const struct first_start *start = context;
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    struct rows *rows = NULL;
    if (!store_rows(tx, id, ASK_ALL(ORGANIZATION_GET), &rows, err))
        return false;
    return (rows->count > 0 || store_change(tx,
                                            ASK(ORGANIZATION_INSERT, TEXT(id),
                                                TEXT(start->organization), INTEGER(start->now)),
                                            NULL, err)) &&
           limits_keep(tx, id, start->settings, err) &&
           ways_keep(tx, start->settings, start->now, err) && crl_due(tx, start->now, err);
}

bool fleet_first_start(struct fleet *fleet, const char *organization, int64_t now, struct err *err)
{
    struct first_start start = {organization, fleet->settings, now};
    /* That each can be prepared is found out once, here. A connection prepares what it uses: all of
     * them on each would take 10 kB a statement. */
    if (!db_prepare(fleet->db, store_statements, store_statement_count, err))
        return err_context(err, "opening the store");
    return db_transaction(fleet->db, first_start_run, &start, err);
}

void fleet_reachable_set(struct fleet_shared *shared, bool is_reachable)
{
    atomic_store(&shared->is_unreachable, !is_reachable);
}

void fleet_shed_note(struct fleet_shared *shared, enum fleet_shed which)
{
    atomic_fetch_add(&shared->shed[which], 1);
}

bool fleet_ready(struct fleet *fleet, struct err *err)
{
    int64_t count;
    if (!store_number(fleet->db, ASK_ALL(ACCOUNT_COUNT), "count", &count, err) ||
        !keyd_ping(fleet->keyd, err))
        return false;
    return !atomic_load(&fleet->shared->is_unreachable) ||
           err_set(err, ERR_UNAVAILABLE, "the edge does not run");
}

struct actor fleet_system_actor(int64_t now)
{
    return (struct actor){
        .kind = ACTOR_SYSTEM, .id = "system", .name = "system", .request_id = "", .now = now};
}

struct actor fleet_public_actor(const char *peer, const char *request_id, int64_t now)
{
    const char *name = peer ? peer : "unknown";
    return (struct actor){
        .kind = ACTOR_PUBLIC, .id = name, .name = name, .request_id = request_id, .now = now};
}

void shared_wake(struct fleet_shared *shared)
{
    pthread_mutex_lock(&shared->job_lock);
    shared->job_turn++;
    pthread_cond_broadcast(&shared->job_wake);
    pthread_mutex_unlock(&shared->job_lock);
}
