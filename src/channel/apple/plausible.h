/* SPDX-License-Identifier: Apache-2.0 */
/* Do a version and a build, as a device reports them, belong to each other?  Pure. */
#pragma once

#include "base/bytes.h"
#include "model/fact.h"
#include "model/platform.h"

enum plausibility { PLAUSIBILITY_UNKNOWN, PLAUSIBLE, IMPLAUSIBLE };
/* "17.5.1" and "21F90". Unknown where both are newer, or both older, than the table. */
enum plausibility apple_build_judge(enum platform platform, const char *version, const char *build);
/* Where the facts hold both, one more behind them that says so. *facts belongs to owner. */
void apple_facts_weigh(void *owner, enum platform platform, int64_t now, const struct fact **facts,
                       size_t *count);
