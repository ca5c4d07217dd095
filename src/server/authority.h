/* SPDX-License-Identifier: Apache-2.0 */
/* "musterd authority request|import FILE": the issuing CA under a root of the organisation's own,
 * before the first start. */
#pragma once

#include "keyd/keyd.h"
#include "server/options.h"

/* What the key process of these options is started with; belongs to owner. */
struct keyd_options authority_keys(void *owner, const struct options *options);
/* Prints the request (PEM) on standard output; makes the authority where there is none. */
int authority_request(void *owner, const struct options *options);
/* Takes the chain that came of it (PEM). */
int authority_import(void *owner, const struct options *options);
