/* SPDX-License-Identifier: Apache-2.0 */
/* "musterd authority ...": the issuing CA under a root of the organisation's own, before the first
 * start; and the steps from one authority to the next. */
#pragma once

#include "keyd/keyd.h"
#include "server/options.h"

/* What the key process of these options is started with; belongs to owner. */
struct keyd_options authority_keys(void *owner, const struct options *options);
/* Prints the request (PEM) on standard output; makes the authority where there is none. */
int authority_request(void *owner, const struct options *options);
/* Takes the chain that came of it (PEM). */
int authority_import(void *owner, const struct options *options);
/* The steps of a rollover, see keyd/rollover.h. serve and retire look into the database first. */
int authority_list(void *owner, const struct options *options);
int authority_prepare(void *owner, const struct options *options);
int authority_switch(void *owner, const struct options *options);
int authority_serve(void *owner, const struct options *options);
int authority_retire(void *owner, const struct options *options);
#define AUTHORITY_ANYWAY "--anyway" /* argument of serve */
