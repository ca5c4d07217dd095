/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codes of the tokens that were used of late, by the digest of the secret: each call of the API
 * would ask the key process for one, and wait there behind the signatures that strangers ask for.
 * It says nothing about whether a token is good; the database is asked each time.
 */
#pragma once

#include "base/bytes.h"

#define MAC_CACHE_SLOTS                                                                            \
    4096 /* 64 bytes each; what falls into the same slot replaces what is there */

struct mac_cache;
struct mac_cache *mac_cache_make(void *owner);
/* Threads share it. */
bool mac_cache_get(struct mac_cache *cache, const char *secret, uint8_t mac[32]);
void mac_cache_put(struct mac_cache *cache, const char *secret, const uint8_t mac[32]);
