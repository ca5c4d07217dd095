/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try. */
#pragma once

#include <stdint.h>

/* `first` (> 0) doubled `times` times, at most `most`; not at all when `times` is below one. */
int64_t backoff_doubled(int64_t times, int64_t first, int64_t most);

/* Seconds until the next try: `first` doubled with each, at most `most`, and up to a quarter more
 * or less by chance, so that what failed together does not come back together. */
int64_t backoff_seconds(int64_t tries, int64_t first, int64_t most);
