/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of operating systems. */
#pragma once

#include <stdbool.h>

#define VERSION_PARTS_MAX 8 /* numbers between dots */

/* "17.4.1" against "17.10": numeric by dotted parts, missing parts are 0; *out is below, at or
 * above 0. False when either is NULL or not a version. */
bool version_compare(const char *a, const char *b, int *out);
