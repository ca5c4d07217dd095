/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service that knows the organisation's devices before they come (Apple's device enrolment
 * service): its token, what it told, and the profiles that it gives to devices.  What is asked of
 * it is the room's matter; jobs do it.
 */
#pragma once

#include "fleet/fleet.h"
#include "model/service.h"

/* ---- the connection ---- */
/* The certificate that tokens are to be encrypted to, DER; key and certificate are made in keyd
 * the first time. Permission apple.write. */
MUST_CHECK bool fleet_service_key(struct fleet *fleet, const struct actor *actor, void *owner,
                                  struct bytes *certificate, struct err *err);
struct service_view {
    const char *state; /* "none", "requested", "active", "expired" */
    struct service service;
    int64_t device_count;
};
MUST_CHECK bool fleet_service_get(struct fleet *fleet, const struct actor *actor, void *owner,
                                  struct service_view *out, struct err *err);
struct service_token {
    const char *consumer; /* names the server at the service */
    int64_t expires_at;
    struct bytes plain; /* what the room needs again; sealed here */
    bool replaces;      /* a token of another server is meant */
};
/* ERR_CONFLICT: it is for another server, and that is not meant; ERR_BAD_INPUT: it has ended. With
 * another server all devices are forgotten. Permission apple.write. */
MUST_CHECK bool fleet_service_token_set(struct fleet *fleet, const struct actor *actor,
                                        const struct service_token *token, struct err *err);
/* Look there now. ERR_PRECONDITION without a token. Permission apple.write. */
MUST_CHECK bool fleet_service_sync(struct fleet *fleet, const struct actor *actor, struct err *err);
/* Events before the token ends, one at each of 60, 30, 14, 7 and 1 days. */
MUST_CHECK bool fleet_service_warn(struct fleet *fleet, int64_t now, struct err *err);

/* ---- devices and profiles, for people ---- */
MUST_CHECK bool fleet_service_device_list(struct fleet *fleet, const struct actor *actor,
                                          void *owner, const struct page *page, struct list *out,
                                          struct err *err);
/* profile: name or id; NULL: none. ERR_NOT_FOUND: the service named no such device.
 * ERR_BAD_INPUT: no such profile. */
MUST_CHECK bool fleet_service_device_assign(struct fleet *fleet, const struct actor *actor,
                                            void *owner, const char *serial, const char *profile,
                                            struct service_device *out, struct err *err);
MUST_CHECK bool fleet_service_profile_list(struct fleet *fleet, const struct actor *actor,
                                           void *owner, const struct page *page, struct list *out,
                                           struct err *err);
/* ERR_NOT_FOUND. */
MUST_CHECK bool fleet_service_profile_get(struct fleet *fleet, const struct actor *actor,
                                          void *owner, const char *name,
                                          struct service_profile *out, struct err *err);
/* The profile of this name as a new one would be. */
struct service_profile fleet_service_profile_new(const char *name);
/* Make it, or change it where wish->id is set. The service learns of it by the next job. */
MUST_CHECK bool fleet_service_profile_save(struct fleet *fleet, const struct actor *actor,
                                           void *owner, const struct service_profile *wish,
                                           struct service_profile *out, struct err *err);
/* ERR_PRECONDITION while devices should have it. */
MUST_CHECK bool fleet_service_profile_delete(struct fleet *fleet, const struct actor *actor,
                                             const char *name, struct err *err);

/* ---- for the room that speaks with the service ---- */
/* *found false: there is no token. *plain is opened; the caller wipes it. */
MUST_CHECK bool fleet_service_open(struct fleet *fleet, void *owner, struct service *out,
                                   struct bytes *plain, bool *found, struct err *err);
struct service_account {
    const char *server_id, *server_name, *organization, *organization_id, *account;
};
/* ERR_CONFLICT: the token is another organisation's. */
MUST_CHECK bool fleet_service_account_set(struct fleet *fleet, const struct service *service,
                                          const struct service_account *account, int64_t now,
                                          struct err *err);
struct service_change { /* one device as the service tells it */
    struct service_device device;
    bool is_removed;
};
struct service_page {
    const struct service_change *changes;
    size_t count;
    const char *cursor;
    bool is_fetch; /* of everything, not only of what changed */
    bool is_last;
};
#define SERVICE_PAGE_MAX 1000 /* devices */
/* Devices first, in transactions of a few, then the cursor: what is told twice is written twice. */
MUST_CHECK bool fleet_service_page_take(struct fleet *fleet, const struct service *service,
                                        const struct service_page *page, int64_t now,
                                        struct err *err);
/* The cursor is worth nothing any more: everything is fetched anew. */
MUST_CHECK bool fleet_service_refetch(struct fleet *fleet, const struct service *service,
                                      struct err *err);
MUST_CHECK bool fleet_service_synced(struct fleet *fleet, const struct service *service,
                                     int64_t now, struct err *err);
/* For people: what went wrong, and what helps (may be NULL). Event once per problem. */
MUST_CHECK bool fleet_service_failed(struct fleet *fleet, const struct service *service,
                                     const char *problem, const char *remedy, int64_t now,
                                     struct err *err);
/* Profiles that the service does not know as they are now. */
MUST_CHECK bool fleet_service_profiles_due(struct fleet *fleet, void *owner,
                                           struct service_profile **out, size_t *count,
                                           struct err *err);
/* uuid NULL: refused, by this reason. */
MUST_CHECK bool fleet_service_profile_told(struct fleet *fleet,
                                           const struct service_profile *profile, const char *uuid,
                                           const char *reason, int64_t now, struct err *err);
struct service_assignment { /* devices that shall have a profile; uuid NULL: none any more */
    char *uuid;
    const char **serials;
    size_t count;
};
/* The next ones, at most `most`; count 0: none. What was refused is tried again an hour later. */
MUST_CHECK bool fleet_service_assignment_next(struct fleet *fleet, void *owner, size_t most,
                                              int64_t now, struct service_assignment *out,
                                              struct err *err);
/* reasons[i] NULL: done. */
MUST_CHECK bool fleet_service_assignment_told(struct fleet *fleet,
                                              const struct service_assignment *assignment,
                                              const char *const *reasons, int64_t now,
                                              struct err *err);
