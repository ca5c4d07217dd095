/* SPDX-License-Identifier: Apache-2.0 */
/* "musterd admin NAME": a one-time password for an administrator, new or locked out. */
#pragma once

#include "server/options.h"

/* Prints the password alone on standard output. Works beside a running server. */
int admin_run(void *owner, const struct options *options, const char *name);
