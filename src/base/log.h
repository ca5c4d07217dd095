/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: an event name and pairs, one line of logfmt on standard error.  Programs and the HTTP edge
 * log; library code returns an error instead.  Never pass a secret.
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_level_set(enum log_level level);   /* default LOG_INFO */
extern const char *const log_level_names[]; /* "error", "warn", "info", "debug", NULL */

/* log_event(LOG_INFO, "device.enrolled", "device", id, "room", "apple", NULL) */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* The error once, where it is handled, with up to the pairs that follow. */
void log_err(const char *event, const struct err *err, ...) __attribute__((sentinel));
