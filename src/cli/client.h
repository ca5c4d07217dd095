/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the API, and its problem documents as errors. */
#pragma once

#include "cli/cli.h"

struct api_call {
    const char *method;
    const char *path;    /* below /api/v1, escaped, with its query */
    const json_t *body;  /* NULL: none */
    int64_t if_revision; /* 0: any; else If-Match */
};

#define API_ANSWER_MAX ((size_t)32 << 20) /* bytes */

/* *out is a new reference, JSON null where the answer has no body. Problem documents become errors
 * with their remedy and request id. Without a login: ERR_UNAUTHENTICATED. */
MUST_CHECK bool api_send(struct cli *cli, const struct api_call *call, json_t **out,
                         struct err *err);

/* "/devices/{}/commands" with names in place of {}, escaped. Belongs to owner. */
char *api_path(void *owner, const char *path, const char *const *names, size_t count);
/* "?a=1", then "&b=2": adds to a path. value NULL: nothing is added. Belongs to owner. */
char *api_query(void *owner, const char *path, const char *name, const char *value);
/* What a person typed for a device: the name behind "device/", if that is there. */
const char *api_name(const char *typed);
/* The error that a problem document stands for. */
bool api_problem(void *owner, int status, struct bytes body, struct err *err);
/* The value of a numeric option; *out stays where it was not given. ERR_BAD_INPUT says what is
 * expected, and makes the exit code that of wrong usage. */
MUST_CHECK bool option_number(struct cli *cli, enum option_id option, int64_t lowest,
                              int64_t highest, int64_t *out, struct err *err);
