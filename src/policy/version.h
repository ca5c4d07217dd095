/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of operating systems. */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define VERSION_PARTS_MAX 8 /* numbers between dots */

/* "17.4.1" as one number that grows with the version, and back; at most three parts below 10,000.
 * "18", "18.0" and "18.0.0" are the same: "18.0". The text belongs to owner. */
MUST_CHECK bool version_number(const char *text, int64_t *out, struct err *err);
char *version_number_text(void *owner, int64_t number);

/* "17.4.1" against "17.10": numeric by dotted parts, missing parts are 0; *out is below, at or
 * above 0. False when either is NULL or not a version. */
bool version_compare(const char *a, const char *b, int *out);
