/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sealed value in a file that stays open: two places in turn, so that a crash leaves the old
 * or the new value, and no file has to be opened after the sandbox is shut.
 */
#pragma once

#include "keyd/seal.h"

struct slots;

MUST_CHECK bool slots_open(void *owner, const char *path, const struct master *master,
                           struct slots **out, struct err *err);
/* The newest value; false when there is none that can be opened. Belongs to owner. */
bool slots_load(void *owner, struct slots *slots, struct bytes *out);
MUST_CHECK bool slots_save(struct slots *slots, struct bytes value, struct err *err);
