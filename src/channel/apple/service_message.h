/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to Apple's device enrolment service, and what it answers: JSON, bounded.  Pure. */
#pragma once

#include "fleet/service.h"

#define SERVICE_ANSWER_MAX ((size_t)4 << 20) /* bytes: a page of a thousand devices */
#define SERVICE_BATCH_MAX 500                /* devices of one assignment */

/* ---- answers; all belongs to owner; ERR_BAD_INPUT ---- */
MUST_CHECK bool apple_service_session_parse(void *owner, struct bytes body, char **token,
                                            struct err *err);
MUST_CHECK bool apple_service_account_parse(void *owner, struct bytes body,
                                            struct service_account *out, struct err *err);
/* Of a fetch or a sync; is_fetch is the caller's to set. */
MUST_CHECK bool apple_service_page_parse(void *owner, struct bytes body, struct service_page *out,
                                         struct err *err);
MUST_CHECK bool apple_service_profile_parse(void *owner, struct bytes body, char **uuid,
                                            struct err *err);
/* reasons: one for each serial of the assignment, NULL where it worked. */
MUST_CHECK bool apple_service_results_parse(void *owner, struct bytes body,
                                            const struct service_assignment *assignment,
                                            const char **reasons, struct err *err);

/* What a refusal's body says: a word such as T_C_NOT_SIGNED, however it is wrapped. Never NULL. */
char *apple_service_refusal(void *owner, struct bytes body);
/* The same for people. */
struct service_advice {
    const char *problem, *remedy;
};
struct service_advice apple_service_advice(void *owner, int status, const char *word);
bool apple_service_cursor_is_gone(const char *word);

/* ---- requests ---- */
struct bytes apple_service_page_render(void *owner, const char *cursor);
struct service_way { /* in */
    const char *url;
    const struct bytes *anchors; /* roots of our TLS, DER; none: one that devices know already */
    size_t anchor_count;
    const char *magic; /* the same for all profiles of the organisation */
};
struct bytes apple_service_profile_render(void *owner, const struct service_profile *profile,
                                          const struct service_way *way);
struct bytes apple_service_assignment_render(void *owner,
                                             const struct service_assignment *assignment);
