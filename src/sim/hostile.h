/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that no writer would make: entity bombs, deep nesting, broken property lists. */
#pragma once

#include "base/bytes.h"

/* Ten entities of ten entities each, nine times over, in the place of a UDID. */
MUST_CHECK bool hostile_entity_bomb(void *owner, struct bytes *out, struct err *err);
/* 100,000 arrays inside each other. */
MUST_CHECK bool hostile_nested_arrays(void *owner, struct bytes *out, struct err *err);
extern const char *const HOSTILE_PLISTS[]; /* NULL-terminated; none of them is one */
