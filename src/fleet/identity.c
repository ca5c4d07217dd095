/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client certificate stands for: read from the database, kept while nothing of its
 * enrolment changed in this process; and when devices last called.
 *
 * The cache serves one server node: every change runs through this process and moves the
 * generation of its enrolment after the commit.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/enrol.h"
#include "fleet/shared.h"
#include "model/certificate.h"
#include "model/platform.h"
#include "store/store.h"

#define CACHE_WAYS 2
#define CACHE_SETS 65536    /* 131,072 devices hot; a miss costs one SELECT */
#define CONTACTS_MAX 200000 /* between two flushes */

static const struct field identity_rows[] = {
    TEXT_FIELD(struct identity, enrolment_id, 0),
    TEXT_FIELD(struct identity, device_id, 0),
    TEXT_FIELD(struct identity, certificate_id, 0),
    TEXT_FIELD(struct identity, channel, 0),
    TEXT_FIELD(struct identity, udid, 0),
    TEXT_FIELD(struct identity, os_version, 0),
    ENUM_FIELD(struct identity, platform, 0, platform_names),
    ENUM_FIELD(struct identity, ownership, 0, ownership_names),
    ENUM_FIELD(struct identity, mode, 0, enrolment_mode_names),
    ENUM_FIELD(struct identity, enrolment_state, 0, enrolment_state_names),
    ENUM_FIELD(struct identity, certificate_state, 0, certificate_state_names),
    TIME_FIELD(struct identity, not_before, 0),
    TIME_FIELD(struct identity, not_after, 0),
    INTEGER_FIELD(struct identity, authority, 0),
    BOOLEAN_FIELD(struct identity, is_seen, 0),
    BOOLEAN_FIELD(struct identity, is_contested, 0),
    BOOLEAN_FIELD(struct identity, is_outdated, 0),
    BOOLEAN_FIELD(struct identity, has_work, 0),
    BOOLEAN_FIELD(struct identity, has_deferred, 0),
};

struct cached {
    uint8_t sha256[32];
    unsigned generation;
    struct identity *identity; /* owned by the cache; NULL = empty */
};

struct identity_cache {
    pthread_mutex_t locks[64];       /* of sets, by set number */
    struct cached *sets[CACHE_SETS]; /* CACHE_WAYS each, made on first use */
};

static int cache_end(struct identity_cache *cache)
{
    for (size_t i = 0; i < CACHE_SETS; i++)
        for (size_t way = 0; cache->sets[i] && way < CACHE_WAYS; way++)
            mem_free(cache->sets[i][way].identity);
    for (size_t i = 0; i < CACHE_SETS; i++)
        mem_free(cache->sets[i]);
    for (size_t i = 0; i < COUNT(cache->locks); i++)
        pthread_mutex_destroy(&cache->locks[i]);
    return 0;
}

struct identity_cache *identity_cache_make(void *owner)
{
    struct identity_cache *cache = mem_new(owner, struct identity_cache);
    for (size_t i = 0; i < COUNT(cache->locks); i++)
        if (pthread_mutex_init(&cache->locks[i], NULL) != 0)
            bug("no mutex");
    mem_destructor(cache, cache_end);
    return cache;
}

static size_t slot_of(const char *enrolment_id)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *enrolment_id; enrolment_id++)
        hash = (hash ^ (uint8_t)*enrolment_id) * 16777619u;
    return hash % SLOTS;
}

void shared_forget(struct fleet_shared *shared, const char *enrolment_id)
{
    atomic_fetch_add(&shared->generations[slot_of(enrolment_id)], 1);
}

void fleet_forget_all(struct fleet_shared *shared)
{
    for (size_t i = 0; i < SLOTS; i++)
        atomic_fetch_add(&shared->generations[i], 1);
}

static unsigned generation_of(struct fleet_shared *shared, const char *enrolment_id)
{
    return atomic_load(&shared->generations[slot_of(enrolment_id)]);
}

/* The texts of an identity copied below itself, so that it can be handed out and freed whole. */
static struct identity *identity_copy(void *owner, const struct identity *from)
{
    struct identity *copy = mem_copy(owner, from, sizeof(*from));
    for (size_t i = 0; i < COUNT(identity_rows); i++) {
        if (identity_rows[i].type != FIELD_TEXT)
            continue;
        char **text = field_at(&identity_rows[i], copy);
        if (*text)
            *text = mem_text(copy, *text);
    }
    return copy;
}

static size_t set_of(const uint8_t sha256[32])
{
    return (size_t)sha256[0] << 8 | sha256[1];
}

static bool cache_get(struct fleet_shared *shared, void *owner, const uint8_t sha256[32],
                      struct identity *out)
{
    struct identity_cache *cache = shared->identities;
    size_t set = set_of(sha256);
    bool found = false;
    pthread_mutex_lock(&cache->locks[set % COUNT(cache->locks)]);
    struct cached *ways = cache->sets[set];
    for (size_t i = 0; ways && i < CACHE_WAYS && !found; i++)
        if (ways[i].identity && memcmp(ways[i].sha256, sha256, 32) == 0 &&
            ways[i].generation == generation_of(shared, ways[i].identity->enrolment_id)) {
            *out = *identity_copy(owner, ways[i].identity);
            found = true;
        }
    pthread_mutex_unlock(&cache->locks[set % COUNT(cache->locks)]);
    return found;
}

/* generation: read before the row was, so that a change in between makes the entry stale. */
static void cache_put(struct fleet_shared *shared, const uint8_t sha256[32], unsigned generation,
                      const struct identity *identity)
{
    struct identity_cache *cache = shared->identities;
    size_t set = set_of(sha256);
    pthread_mutex_lock(&cache->locks[set % COUNT(cache->locks)]);
    if (!cache->sets[set])
        cache->sets[set] = mem_array(NULL, struct cached, CACHE_WAYS);
    struct cached *ways = cache->sets[set];
    size_t way = memcmp(ways[1].sha256, sha256, 32) == 0 ? 1 : 0;
    if (way == 0 && ways[0].identity && memcmp(ways[0].sha256, sha256, 32) != 0) {
        mem_free(ways[1].identity); /* the older of two others gives way */
        ways[1] = ways[0];
        ways[0].identity = NULL;
    }
    mem_free(ways[way].identity);
    ways[way].identity = identity_copy(NULL, identity);
    ways[way].generation = generation;
    memcpy(ways[way].sha256, sha256, 32);
    pthread_mutex_unlock(&cache->locks[set % COUNT(cache->locks)]);
}

bool fleet_identify_known(struct fleet *fleet, void *owner, const uint8_t sha256[32],
                          struct identity *out)
{
    return cache_get(fleet->shared, owner, sha256, out);
}

bool fleet_identify(struct fleet *fleet, void *owner, const uint8_t sha256[32],
                    struct identity *out, struct err *err)
{
    if (cache_get(fleet->shared, owner, sha256, out))
        return true;
    struct bytes key = {sha256, 32};
    const struct want want = {"certificate", FIELDS(identity_rows)};
    struct identity found = {0};
    /* The enrolment of a certificate never changes: the first read names the slot, the second is
     * the one that counts. */
    if (!store_get(fleet->db, owner, ASK(IDENTITY_BY_SHA256, BYTES(key)), want, &found, err))
        return false;
    unsigned generation = generation_of(fleet->shared, found.enrolment_id);
    found = (struct identity){0};
    if (!store_get(fleet->db, owner, ASK(IDENTITY_BY_SHA256, BYTES(key)), want, &found, err))
        return false;
    cache_put(fleet->shared, sha256, generation, &found);
    *out = found;
    return true;
}

struct actor fleet_device_actor(const struct identity *identity, const char *request_id,
                                int64_t now)
{
    const char *id = identity->device_id ? identity->device_id : identity->enrolment_id;
    return (struct actor){
        .kind = ACTOR_DEVICE, .id = id, .name = id, .request_id = request_id, .now = now};
}

/* Is there room for one more? Under the lock. */
static bool contact_room(struct fleet_shared *shared)
{
    if (shared->contact_count == shared->contact_room && shared->contact_room < CONTACTS_MAX) {
        shared->contact_room = shared->contact_room ? shared->contact_room * 2 : 1024;
        shared->contacts = mem_grow(shared, shared->contacts, shared->contact_room);
    }
    return shared->contact_count < shared->contact_room;
}

void fleet_contact(struct fleet *fleet, const struct identity *identity, int64_t now)
{
    struct fleet_shared *shared = fleet->shared;
    if (identity->is_outdated)
        return;
    pthread_mutex_lock(&shared->contact_lock);
    if (contact_room(shared)) {
        struct contact *contact = &shared->contacts[shared->contact_count++];
        (void)snprintf(contact->id, sizeof(contact->id), "%s", identity->enrolment_id);
        contact->at = now;
    }
    pthread_mutex_unlock(&shared->contact_lock);
}

struct flush {
    const struct contact *contacts;
    size_t count;
};

static bool flush_run(struct db *tx, void *context, struct err *err)
{
    const struct flush *flush = context;
    for (size_t i = 0; i < flush->count; i++)
        if (!store_change(
                tx,
                ASK(ENROLMENT_CONTACT, TEXT(flush->contacts[i].id), INTEGER(flush->contacts[i].at)),
                NULL, err))
            return false;
    return true;
}

static int contact_compare(const void *a, const void *b)
{
    const struct contact *one = a, *other = b;
    int order = strcmp(one->id, other->id);
    return order != 0 ? order : (one->at < other->at) - (one->at > other->at);
}

/* One row per enrolment, the newest time. */
static size_t contacts_unique(struct contact *contacts, size_t count)
{
    size_t kept = 0;
    if (count == 0)
        return 0;
    qsort(contacts, count, sizeof(*contacts), contact_compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(contacts[kept - 1].id, contacts[i].id) != 0)
            contacts[kept++] = contacts[i];
    return kept;
}

/* Older than what came meanwhile: the next flush keeps the newest of each. */
static void contacts_put_back(struct fleet_shared *shared, const struct contact *contacts,
                              size_t count)
{
    pthread_mutex_lock(&shared->contact_lock);
    for (size_t i = 0; i < count && contact_room(shared); i++)
        shared->contacts[shared->contact_count++] = contacts[i];
    pthread_mutex_unlock(&shared->contact_lock);
}

bool fleet_contacts_flush(struct fleet *fleet, struct err *err)
{
    struct fleet_shared *shared = fleet->shared;
    CLEANUP(mem_free_at) struct contact *taken = NULL;
    size_t count = 0;
    pthread_mutex_lock(&shared->contact_lock);
    if (shared->contact_count > 0) {
        count = shared->contact_count;
        taken = mem_copy(NULL, shared->contacts, count * sizeof(*taken));
        shared->contact_count = 0;
    }
    pthread_mutex_unlock(&shared->contact_lock);
    count = contacts_unique(taken, count);
    for (size_t at = 0; at < count; at += 500) { /* rows per transaction: well below 20 ms */
        struct flush flush = {taken + at, count - at < 500 ? count - at : 500};
        if (db_transaction(fleet->db, flush_run, &flush, err))
            continue;
        contacts_put_back(shared, taken + at, count - at);
        return false;
    }
    return true;
}
