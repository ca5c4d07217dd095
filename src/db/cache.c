/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements by address: open addressing, never more than half full. */
#include <string.h>

#include "base/mem.h"
#include "db/driver.h"

#define CACHE_ROOM 64 /* at first; a power of two */

static struct cache_slot *slot_of(struct cache_slot *slots, size_t room,
                                  const struct statement *statement)
{
    size_t at = (size_t)(((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    for (;; at++) {
        struct cache_slot *slot = &slots[at & (room - 1)];
        if (!slot->statement || slot->statement == statement)
            return slot;
    }
}

void *cache_find(const struct cache *cache, const struct statement *statement)
{
    return cache->room ? slot_of(cache->slots, cache->room, statement)->prepared : NULL;
}

static void grow(struct cache *cache, void *owner)
{
    size_t room = cache->room ? cache->room * 2 : CACHE_ROOM;
    struct cache_slot *slots = mem_array(owner, struct cache_slot, room);
    for (size_t i = 0; i < cache->room; i++)
        if (cache->slots[i].statement)
            *slot_of(slots, room, cache->slots[i].statement) = cache->slots[i];
    mem_free(cache->slots);
    cache->slots = slots;
    cache->room = room;
}

void cache_add(struct cache *cache, void *owner, const struct statement *statement, void *prepared)
{
    if (2 * (cache->count + 1) > cache->room)
        grow(cache, owner);
    *slot_of(cache->slots, cache->room, statement) = (struct cache_slot){statement, prepared};
    cache->count++;
}

void cache_clear(struct cache *cache)
{
    for (size_t i = 0; i < cache->room; i++)
        mem_free(cache->slots[i].prepared);
    mem_free(cache->slots);
    *cache = (struct cache){0};
}
