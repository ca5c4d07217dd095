/* SPDX-License-Identifier: Apache-2.0 */
/* The check of the audit log, which the server does part by part. */
#pragma once

#include "cli/words.h"
#include "codec/json.h"

/* The verdict about the whole log, in the shape of one part's; *out is a new reference. */
MUST_CHECK bool audit_verdict_get(struct cli *cli, json_t **out, struct err *err);
