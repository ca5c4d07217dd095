/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels of people on a Mac: beside the channel of the device, over the same certificate, each
 * with a push address and a queue of its own. One has an enrolment row of its own, which names no
 * device; it lives no longer than the enrolment of the device.
 */
#pragma once

#include "fleet/enrol.h"

#define USER_CHANNELS_MOST 100 /* of one enrolment */

struct user_channel { /* as people see it */
    char *id;         /* of its enrolment row; names it in the interface */
    char *user_identifier;
    char *name, *full_name;
    bool on_console; /* FALSE: signed in, but somebody else has the screen */
    int state;       /* enum enrolment_state: active or checked_out */
    int64_t enrolled_at, last_contact_at, open_commands;
    int64_t profile_count, profiles_at; /* of the last ProfileList; at 0: none was answered */
};
extern const struct fields user_channel_fields;

struct user_claims {  /* of the device's word for it; NULL: not told */
    const char *user; /* never NULL */
    const char *name, *full_name;
    bool on_console;
};
/*
 * Durable when it returns true: the channel is there and can be woken. Beginning is an event of the
 * device. ERR_FORBIDDEN while the device itself is not enrolled, or for a topic that is not ours;
 * ERR_PRECONDITION where people are not managed, or there are too many.
 */
MUST_CHECK bool fleet_user_channel_told(struct fleet *fleet, const struct actor *actor,
                                        const struct identity *identity,
                                        const struct user_claims *claims,
                                        const struct push_address *address, struct err *err);
/* Are people of this device to be managed? By how it enrolled, not by what it says. */
MUST_CHECK bool fleet_user_channel_wanted(struct fleet *fleet, const struct identity *identity,
                                          bool *wanted, struct err *err);
/* The identity that this person's messages have: that of the device, with the channel's own
 * enrolment and queue. *found false: no open channel. Belongs to owner. */
MUST_CHECK bool fleet_user_channel_find(struct fleet *fleet, void *owner,
                                        const struct identity *identity, const char *user,
                                        struct identity *out, bool *found, struct err *err);
/* This person is not managed any more; the others and the device are. identity: of the channel. */
MUST_CHECK bool fleet_user_channel_leave(struct fleet *fleet, const struct actor *actor,
                                         const struct identity *identity, struct err *err);
/* How many profiles it said that it has. identity: of the channel. */
MUST_CHECK bool fleet_user_channel_profiles(struct fleet *fleet, const struct actor *actor,
                                            const struct identity *identity, size_t count,
                                            struct err *err);

/* All of the enrolment that can be managed. Permission device.read. */
MUST_CHECK bool fleet_user_channel_list(struct fleet *fleet, const struct actor *actor, void *owner,
                                        const char *device_id, struct list *out, struct err *err);
/* Ask one for its profiles, offer again what failed, and wake it. Permission device.sync; audited.
 * ERR_NOT_FOUND for one that is not of this device. */
MUST_CHECK bool fleet_user_channel_sync(struct fleet *fleet, const struct actor *actor, void *owner,
                                        const char *device_id, const char *id,
                                        struct user_channel *out, struct err *err);

/* ---- inside fleet ---- */
/* The device leaves, or was asked to: what waits for its people is cancelled. */
MUST_CHECK bool user_channels_end(struct db *tx, const char *enrolment_id, int64_t now,
                                  struct err *err);
/* The device may be asked again: so may its people, as far as something waits for them. */
MUST_CHECK bool user_channels_wake(struct db *tx, const char *enrolment_id, int64_t now,
                                   struct err *err);
