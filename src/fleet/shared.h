/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what the threads of a process share. Nothing here is truth. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "fleet/desired.h"

#define SLOTS 4096 /* generations of enrolments, by hash of their id */

struct contact { /* when an enrolment was last heard of, not yet flushed */
    char id[40];
    int64_t at;
};

struct fleet_shared {
    const struct fleet_settings *settings;
    fleet_unsupported *unsupported;
    fleet_nearest *nearest;
    atomic_uint generations[SLOTS];
    struct identity_cache *identities; /* fleet/identity.c */
    pthread_mutex_t contact_lock;
    struct contact *contacts;
    size_t contact_count, contact_room;
    pthread_mutex_t job_lock;
    pthread_cond_t job_wake;
    unsigned job_turn; /* grows with each wake */
    bool job_stopped;
    struct attempts *attempts;  /* fleet/attempt.c */
    struct hashing *hashing;    /* fleet/password.c */
    struct mac_cache *tokens;   /* fleet/mac_cache.c */
    atomic_bool is_unreachable; /* fleet_reachable_set() */
    atomic_llong shed[FLEET_SHEDS];
    atomic_llong authority;    /* number of the one that issues */
    atomic_llong signer;       /* of the one that signs profiles of devices that come */
    const struct bytes *roots; /* see struct effective; set once, before there are threads */
    size_t root_count;
};

/* What was read of this enrolment before now is stale. */
void shared_forget(struct fleet_shared *shared, const char *enrolment_id);
/* Background threads look for due jobs again. */
void shared_wake(struct fleet_shared *shared);

struct identity_cache *identity_cache_make(void *owner);
