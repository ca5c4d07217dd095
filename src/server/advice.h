/* SPDX-License-Identifier: Apache-2.0 */
/* What is allowed by the configuration, but will disappoint on this machine. */
#pragma once

#include "server/options.h"

/* Sentences, NULL-terminated; they belong to owner. */
const char *const *advice_list(void *owner, const struct options *options);
