/* SPDX-License-Identifier: Apache-2.0 */
/* What commands share: showing an answer as asked, lists by pages. */
#pragma once

#include "cli/client.h"

/* The answer in the format that was asked for, as the command's row says. Takes the reference. */
void plain_show(struct cli *cli, json_t *answer);
/* Ask and show the answer; the exit code. */
int plain_send(struct cli *cli, const struct api_call *call);
/* For people: JSON and YAML are the interface's own documents. */
bool plain_is_table(const struct cli *cli);
/* The pages of a list that the options ask for, as {"items", "next"}; path with its query. New
 * reference. */
MUST_CHECK bool plain_list(struct cli *cli, const char *path, json_t **out, struct err *err);
/* The body that the command's row describes. New reference. */
MUST_CHECK bool plain_body(const struct cli *cli, const char *name, json_t **out, struct err *err);
/* One exit code for several acts: `failed` of `count` ended with `code` last. */
int plain_result(size_t count, size_t failed, int code);
