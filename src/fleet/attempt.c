/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/attempt.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "fleet/refusal.h"
#include "pki/digest.h"

#define ADDRESSES_KEPT 1024 /* the one that was used longest ago gives way */
#define NAMES_KEPT 4096     /* slots by keyed hash: names that share one share its budget */
#define PLACES_KEPT 1024    /* pairs of name and address that were right, the newest */
#define CLOCK_SLACK 600     /* seconds: requests do not wait longer than that for their turn */

struct address {
    char who[REFUSAL_PEER_SIZE];
    int64_t spent_until; /* when all of its budget is there again */
};
struct attempts {
    pthread_mutex_t lock;
    uint8_t key[32]; /* nobody else knows which names share a slot */
    struct address addresses[ADDRESSES_KEPT];
    int64_t names[NAMES_KEPT]; /* spent_until */
    uint64_t places[PLACES_KEPT];
    size_t place_next;
};

static int attempts_end(struct attempts *attempts)
{
    return pthread_mutex_destroy(&attempts->lock);
}

struct attempts *attempts_make(void *owner)
{
    struct attempts *attempts = mem_new(owner, struct attempts);
    if (pthread_mutex_init(&attempts->lock, NULL) != 0)
        bug("no mutex");
    random_bytes(attempts->key, sizeof(attempts->key));
    mem_destructor(attempts, attempts_end);
    return attempts;
}

/* ---- which ---- */

static uint64_t keyed_hash(const struct attempts *attempts, const char *name, const char *who)
{
    uint8_t keyed[64], digest[32];
    uint64_t hash;
    CLEANUP(mem_free_at)
    char *text = mem_format(NULL, "%zu %s %s", strlen(name), name, who ? who : "");
    memcpy(keyed, attempts->key, sizeof(attempts->key));
    digest_sha256(bytes_text(text), keyed + sizeof(attempts->key));
    digest_sha256(BYTES_OF(keyed), digest);
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

static int64_t *address_budget(struct attempts *attempts, const char *who)
{
    struct address *oldest = &attempts->addresses[0];
    for (size_t i = 0; i < ADDRESSES_KEPT; i++) {
        struct address *address = &attempts->addresses[i];
        if (strcmp(address->who, who) == 0)
            return &address->spent_until;
        if (address->spent_until < oldest->spent_until)
            oldest = address;
    }
    *oldest = (struct address){.spent_until = 0};
    (void)snprintf(oldest->who, sizeof(oldest->who), "%s", who);
    return &oldest->spent_until;
}

static bool is_place(const struct attempts *attempts, uint64_t place)
{
    for (size_t i = 0; i < PLACES_KEPT; i++)
        if (attempts->places[i] == place)
            return true;
    return false;
}

/* ---- budgets ---- */

/* What no attempt can have spent was spent before the clock was put back: nobody is locked out by
 * that for as long as the clock was ahead. */
static bool budget_take(int64_t *spent_until, int64_t now, int64_t budget)
{
    if (*spent_until > now + budget * ATTEMPT_SECONDS + CLOCK_SLACK)
        *spent_until = now;
    int64_t from = *spent_until > now ? *spent_until : now;
    if (from + ATTEMPT_SECONDS > now + budget * ATTEMPT_SECONDS)
        return false;
    *spent_until = from + ATTEMPT_SECONDS;
    return true;
}

bool attempt_take(struct attempts *attempts, struct attempt *attempt, struct err *err)
{
    char who[REFUSAL_PEER_SIZE];
    refusal_peer(attempt->address, who);
    uint64_t name = keyed_hash(attempts, attempt->name, NULL);
    uint64_t place = keyed_hash(attempts, attempt->name, who);
    pthread_mutex_lock(&attempts->lock);
    int64_t *address = address_budget(attempts, who);
    attempt->name_counts = !is_place(attempts, place);
    bool here = budget_take(address, attempt->now, ATTEMPTS_OF_ADDRESS);
    bool named = here && (!attempt->name_counts || budget_take(&attempts->names[name % NAMES_KEPT],
                                                               attempt->now, ATTEMPTS_OF_NAME));
    if (here && !named)
        *address -= ATTEMPT_SECONDS;
    pthread_mutex_unlock(&attempts->lock);
    if (!here)
        return err_set(err, ERR_TOO_MANY, "too many wrong attempts from this address");
    return named || err_set(err, ERR_TOO_MANY, "too many wrong attempts by this name");
}

void attempt_give_back(struct attempts *attempts, const struct attempt *attempt)
{
    char who[REFUSAL_PEER_SIZE];
    refusal_peer(attempt->address, who);
    uint64_t name = keyed_hash(attempts, attempt->name, NULL);
    pthread_mutex_lock(&attempts->lock);
    *address_budget(attempts, who) -= ATTEMPT_SECONDS;
    if (attempt->name_counts)
        attempts->names[name % NAMES_KEPT] -= ATTEMPT_SECONDS;
    pthread_mutex_unlock(&attempts->lock);
}

void attempt_remember(struct attempts *attempts, const struct attempt *attempt)
{
    char who[REFUSAL_PEER_SIZE];
    refusal_peer(attempt->address, who);
    uint64_t place = keyed_hash(attempts, attempt->name, who);
    pthread_mutex_lock(&attempts->lock);
    if (!is_place(attempts, place)) {
        attempts->places[attempts->place_next] = place;
        attempts->place_next = (attempts->place_next + 1) % PLACES_KEPT;
    }
    pthread_mutex_unlock(&attempts->lock);
}
