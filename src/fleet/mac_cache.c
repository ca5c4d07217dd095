/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/mac_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "pki/digest.h"

struct mac_cache {
    pthread_mutex_t lock;
    struct remembered {
        uint8_t digest[32], mac[32];
    } slots[MAC_CACHE_SLOTS]; /* no secret has the digest of all zeros */
};

static int cache_end(struct mac_cache *cache)
{
    pthread_mutex_destroy(&cache->lock);
    bytes_wipe(cache->slots, sizeof(cache->slots));
    return 0;
}

struct mac_cache *mac_cache_make(void *owner)
{
    struct mac_cache *cache = mem_new(owner, struct mac_cache);
    if (pthread_mutex_init(&cache->lock, NULL) != 0)
        bug("no mutex");
    mem_destructor(cache, cache_end);
    return cache;
}

static struct remembered *slot_of(struct mac_cache *cache, const uint8_t digest[32])
{
    return &cache->slots[(digest[0] | digest[1] << 8) % MAC_CACHE_SLOTS];
}

bool mac_cache_get(struct mac_cache *cache, const char *secret, uint8_t mac[32])
{
    uint8_t digest[32];
    digest_sha256(bytes_text(secret), digest);
    pthread_mutex_lock(&cache->lock);
    const struct remembered *slot = slot_of(cache, digest);
    bool found = memcmp(slot->digest, digest, sizeof(digest)) == 0;
    if (found)
        memcpy(mac, slot->mac, sizeof(slot->mac));
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void mac_cache_put(struct mac_cache *cache, const char *secret, const uint8_t mac[32])
{
    uint8_t digest[32];
    digest_sha256(bytes_text(secret), digest);
    pthread_mutex_lock(&cache->lock);
    struct remembered *slot = slot_of(cache, digest);
    memcpy(slot->digest, digest, sizeof(digest));
    memcpy(slot->mac, mac, sizeof(slot->mac));
    pthread_mutex_unlock(&cache->lock);
}
