/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: seconds UTC since 1970 as int64_t, everywhere.  `now` is a parameter; only server/, jobs/
 * and the HTTP edge read the clock.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

int64_t clock_now(void);          /* seconds UTC */
int64_t clock_monotonic_ms(void); /* for deadlines only */

/* RFC 3339, "2026-01-31T08:30:00Z". The result belongs to owner. */
char *time_text(void *owner, int64_t at);
/* The same without "Z": what a clock shows, wherever it is. */
char *time_local_text(void *owner, int64_t at);
MUST_CHECK bool time_local_parse(const char *text, int64_t *out, struct err *err);
/* "2026-01-31T08:30:00Z", with "Z" only; years 1970 to 9999. */
MUST_CHECK bool time_parse(const char *text, int64_t *out, struct err *err);
