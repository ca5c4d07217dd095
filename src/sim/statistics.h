/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and latencies of a load run. One per thread, merged at the end. */
#pragma once

#include "codec/json.h"

struct statistics;

struct statistics *statistics_new(void *owner);
/* status 0: no answer came; its time does not count. */
void statistics_add(struct statistics *statistics, const char *message, int status, double seconds);
void statistics_error(struct statistics *statistics, const char *text);
void statistics_merge(struct statistics *into, const struct statistics *from);
/* Into result: requests, per_second, statuses, errors, latency_ms {all, Idle, ...}. */
void statistics_show(struct statistics *statistics, double seconds, json_t *result);
