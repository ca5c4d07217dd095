/* SPDX-License-Identifier: Apache-2.0 */
/* What every room (a protocol that devices speak) offers to the rest of the house. */
#pragma once

#include "fleet/desired.h"
#include "http/http.h"

struct channel_settings;

struct wake;
struct wake_answer;
struct woken {                   /* texts and list belong to the owner that was given */
    struct wake_answer *answers; /* each with the wake that it is about */
    size_t count;
};

struct channel {
    const char *name;   /* "apple": enrolment.channel */
    unsigned platforms; /* that speak it: 1 << enum platform */
    const struct routes *routes;
    /* NULL: the platform can carry it; else why not, for people. */
    fleet_unsupported *unsupported;
    fleet_nearest *nearest;
    /* Can this command with these parameters (JSON text or NULL) be given to this device? NULL, or
     * why not, for people: said before anything is queued. */
    const char *(*refuses)(enum command_kind kind, const struct device *device,
                           const char *parameters);
    /* Split an effective set into items. The result belongs to owner; equal values give equal
     * hashes. *declarations: the token of what the device shall fetch by itself; NULL: nothing. */
    bool (*items)(void *owner, const struct effective *effective, struct wanted_item **items,
                  size_t *count, const char **declarations, struct err *err);
    /* Making devices call in; NULL where devices poll. `state` is the room's own, made by
     * wake_open, one per job thread: it keeps connections and what is under way. */
    bool (*wake_open)(void *owner, const struct channel_settings *options, void **state,
                      struct err *err);
    /* How many can be started now; 0: none, for whatever reason. */
    bool (*wake_room)(struct fleet *fleet, void *state, int64_t now, size_t *room, struct err *err);
    /* Start waking one; it is copied. Its answer comes from wake_take. */
    void (*wake_start)(void *state, const struct wake *wake, int64_t now);
    size_t (*wake_under_way)(const void *state);
    /* The answers of the next ms milliseconds; sooner when there are many, or all. */
    bool (*wake_take)(struct fleet *fleet, void *state, void *owner, int64_t now, int ms,
                      struct woken *out, struct err *err);
    /* The service that knows devices before they come; NULL where there is none. `state` is the
     * room's own, made by service_open. One step: *again_at says when to come again; 0: when
     * somebody asks. */
    bool (*service_import)(struct fleet *fleet, const struct actor *actor, struct bytes file,
                           bool replaces, struct err *err); /* the token of that service */
    bool (*service_open)(void *owner, const struct channel_settings *options, void **state,
                         struct err *err);
    bool (*service_work)(struct fleet *fleet, void *state, int64_t now, int64_t *again_at,
                         struct err *err);
};

struct channel_settings {
    const char *apns_url;        /* "https://api.push.apple.com" */
    const char *apns_ca_file;    /* NULL: the system's trust store */
    const char *service_url;     /* "https://mdmenrollment.apple.com" */
    const char *service_ca_file; /* NULL: the system's trust store */
    int64_t pushes_per_second;   /* for all rooms together */
    int64_t silent_seconds;      /* devices that are silent for this long are woken; 0: never */
};

extern const struct channel channel_apple;

extern const struct channel *const channels[]; /* NULL-terminated */
/* NULL: no room speaks with this platform. */
const struct channel *channel_of_platform(int platform);
/* Split what holds for this device into items and queue the difference to what it has. A device
 * for which nothing was resolved yet is no error. */
MUST_CHECK bool channel_plan(struct fleet *fleet, const struct actor *actor, const char *device_id,
                             struct err *err);
/* The answers of the room that speaks with the device's platform: for fleet_set_rooms. */
const char *channels_unsupported(enum setting_id setting, const struct target_device *device);
int64_t channels_nearest(enum setting_id setting, const struct target_device *device,
                         int64_t value);
