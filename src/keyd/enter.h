/* SPDX-License-Identifier: Apache-2.0 */
/* From a started process to one that holds the keys. */
#pragma once

#include "keyd/vault.h"

/* Read the credential, become key_user, protect the memory, open the vault. */
MUST_CHECK bool keyd_enter(const struct keyd_options *options, void *owner, int64_t now,
                           struct vault **out, struct err *err);
