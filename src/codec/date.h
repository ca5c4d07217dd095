/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of property lists: like base/clock.h, but for the years 1 to 9999. Only codec/ uses this.
 */
#pragma once

#include "base/bytes.h"

#define DATE_SIZE 20                /* characters, without the NUL */
#define DATE_LOWEST (-62135596800)  /* 0001-01-01T00:00:00Z */
#define DATE_HIGHEST (253402300799) /* 9999-12-31T23:59:59Z */

/* Exactly "2026-01-31T08:30:00Z". False when it is no such date. */
MUST_CHECK bool date_parse(struct bytes text, int64_t *out);
/* False outside DATE_LOWEST to DATE_HIGHEST. */
MUST_CHECK bool date_render(int64_t at, char out[DATE_SIZE + 1]);
