/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping for a test: let time pass, and see what goes. */
#pragma once

#include "tests/contract/fleet_fixture.h"

#define DAY (24 * 3600)

/* Events and commands are kept for 90 days, attempts and tokens for 30. */
void pruning_keep(struct fixture *f);
/* One rule by its name; *count also when it fails. */
bool pruning_try(struct fixture *f, const char *what, int64_t *count, struct err *err);
/* How many went. */
int64_t pruning_run(struct fixture *f, const char *what);
int64_t pruning_run_all(struct fixture *f);
/* Give all events their positions. */
void pruning_number(struct fixture *f);
/* How many rows a statement finds. */
size_t pruning_count(struct fixture *f, const struct statement *statement);
