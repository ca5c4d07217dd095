/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: who may be served, and how they are answered. */
#pragma once

#include "channel/apple/message.h"
#include "channel/steps.h"

http_handler apple_link_show, apple_link_profile;    /* link.c */
http_handler apple_sign_in_show, apple_sign_in_post; /* ways.c */
/* account.c */
http_handler apple_account_discover, apple_account_enrol, apple_account_show, apple_account_post;
http_handler apple_checkin;       /* enrol.c */
http_handler apple_connect;       /* handle.c */
http_glance apple_connect_glance; /* a device that is idle and has nothing to do: most calls */
http_weigh apple_checkin_weigh, apple_patient; /* weigh.c */

struct apple_plan;
struct effective;
http_handler apple_profile_fetch; /* fetch.c */
/* declare.c: what holds for the device that asks. *found false: it leaves, is not there yet, or
 * nothing was resolved for it. Belongs to the request. */
MUST_CHECK bool apple_plan_of(struct request *request, struct effective *effective,
                              struct apple_plan *plan, bool *found, struct err *err);
/* declare.c: the endpoints of a device that manages itself; fills reply. */
MUST_CHECK bool apple_declarative(struct request *request, const struct apple_declarative *message,
                                  struct reply *reply, struct err *err);
/* bootstrap.c: what a Mac keeps here and asks back. */
MUST_CHECK bool apple_bootstrap_set(struct request *request, const struct apple_checkin *message,
                                    struct err *err);
MUST_CHECK bool apple_bootstrap_get(struct request *request, struct reply *reply, struct err *err);

/* How errors leave the device door. Never 401: that would make the device go. */
void apple_error_render(const struct request *request, const struct err *err, struct reply *reply);
/* How errors leave the pages of a link: a page for browsers, else a problem document. */
void apple_page_error(const struct request *request, const struct err *err, struct reply *reply);

/*
 * May this sender be served? The binding rule (the certificate decides which UDID may speak) and
 * the state of the enrolment. False: refused by *err. True with reply->status set: answered, the
 * device was told to go. flags: who else passes.
 */
#define ADMIT_UNBOUND 1u /* a device that is not bound to the certificate yet */
#define ADMIT_BLOCKED 2u /* a blocked one, whose certificate is on hold */
/* Nothing stands against serving it, and nothing has to be sent, read or written for it. */
bool apple_is_settled(const struct identity *identity);
/* The sender is the device that the certificate stands for. */
bool apple_is_bound(const struct identity *identity, const struct apple_sender *sender);
MUST_CHECK bool apple_admit(struct request *request, const struct apple_sender *sender,
                            unsigned flags, struct reply *reply, struct err *err);
/* The same of a request that names no device: the certificate alone says who asks. */
MUST_CHECK bool apple_admit_enrolment(struct request *request, unsigned flags, struct reply *reply,
                                      struct err *err);
/* Keep an event about this device: kind and one named text. */
MUST_CHECK bool apple_anomaly(struct request *request, const char *kind, const char *name,
                              const char *value, struct err *err);
