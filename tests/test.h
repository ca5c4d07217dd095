/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test needs; cmocka wants these headers in this order. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* Assert that a fallible call worked; shows its error otherwise. */
#define assert_works(call, err)                                                                    \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, (err).text);                                                 \
    } while (0)
/* Assert that a fallible call failed with this kind. */
#define assert_fails(call, err, wanted)                                                            \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: worked, should have failed", #call);                                     \
        if ((err).kind != (wanted))                                                                \
            fail_msg("%s: wrong kind of error: %s", #call, (err).text);                            \
    } while (0)

/* Set-up and tear-down of a group whose state is only an owner for what its tests make. */
static inline int owner_set_up(void **state)
{
    *state = mem_new(NULL, char);
    return 0;
}
static inline int owner_tear_down(void **state)
{
    mem_free(*state);
    return 0;
}
