/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies in and out: the few shapes that every resource uses. */
#pragma once

#include "api/steps.h"
#include "codec/json.h"

/* The body as one JSON object bound to target by the route's `takes` table. */
MUST_CHECK bool api_body(const struct request *request, void *target, uint64_t *present,
                         struct err *err);
/* The body of an act that takes only `reason`, which goes to the actor. `takes`: reason_fields. */
MUST_CHECK bool api_body_reason(const struct request *request, struct actor *actor,
                                struct err *err);
/* limit= and cursor= of a list. */
MUST_CHECK bool api_page(const struct request *request, struct page *out, struct err *err);

void api_reply(const struct request *request, struct reply *reply, int status, struct fields fields,
               const void *item);
/* {"items": [...], "next": "..."}; next is null on the last page. */
void api_reply_list(const struct request *request, struct reply *reply, struct fields fields,
                    size_t item_size, const struct list *list);
/* Takes the reference. */
void api_reply_json(const struct request *request, struct reply *reply, int status, json_t *json);

/* The JSON value of a text that this program wrote into the database. New reference. */
json_t *api_stored(const char *text);

extern const struct fields reason_fields;
extern const struct fields page_fields; /* limit, cursor: what lists can be asked */
