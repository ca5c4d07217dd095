/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a phone to the server over its identity: check-in and management requests. */
#pragma once

#include "sim/phone.h"

#define MESSAGE_SIZE_MAX ((size_t)32 << 20) /* bytes of a plist that we send */

/* A check-in message with MessageType, UDID and Topic. Belongs to owner. */
/* What names the phone in every message: UDID, or EnrollmentID alone. */
void channel_name(const struct phone *phone, struct plist *message);
struct plist *channel_message(void *owner, const struct phone *phone, const char *type);
MUST_CHECK bool channel_render(void *owner, const struct plist *message, struct bytes *out,
                               struct err *err);
/* PUT to CheckInURL; name is for ledger and errors. Any status is success. */
MUST_CHECK bool channel_check_in(struct phone *phone, void *owner, const char *name,
                                 struct bytes body, struct web_reply *out, struct err *err);
/* PUT to ServerURL; uuid NULL: not a result. */
MUST_CHECK bool channel_report(struct phone *phone, void *owner, const char *status,
                               const char *uuid, struct bytes body, struct web_reply *out,
                               struct err *err);

/* GET of what the server names; name is for ledger and errors. Any status is success. */
MUST_CHECK bool channel_fetch(struct phone *phone, void *owner, const char *name, const char *url,
                              struct web_reply *out, struct err *err);

/* The three check-in messages; any status but 200 is an error. */
MUST_CHECK bool channel_authenticate(struct phone *phone, json_t *report, struct err *err);
MUST_CHECK bool channel_token_update(struct phone *phone, json_t *report, struct err *err);
/* Of the person in phone->user, with a push address of its own (hexadecimal). */
MUST_CHECK bool channel_user_token_update(struct phone *phone, const char *token, json_t *report,
                                          struct err *err);
MUST_CHECK bool channel_check_out(struct phone *phone, json_t *report, struct err *err);

/* Add {"message", "status"} to the report's array "messages"; report NULL: nothing. */
void report_message(json_t *report, const char *message, int status);
