/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz harness: write FUZZ_HARNESS in fuzz_<parser>.c, put seeds into seeds/<parser>/, add a row
 * to meson.build and a floor to floors.tsv.
 *
 * libFuzzer calls it with -Dfuzz=true; otherwise replay.c does, as an ordinary test. Whatever
 * hangs under owner is freed after each input.
 */
#pragma once

#include "base/bytes.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FUZZ_HARNESS(owner, in) { ... } */
#define FUZZ_HARNESS(owner, in)                                                                    \
    static void harness(void *owner, struct bytes in);                                             \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                                   \
    {                                                                                              \
        CLEANUP(mem_free_at) void *memory = mem_text(NULL, "");                                    \
        harness(memory, (struct bytes){data, size});                                               \
        return 0;                                                                                  \
    }                                                                                              \
    static void harness(void *owner, struct bytes in)

/* What holds for every input; ends the program when it does not. */
#define FUZZ_HOLDS(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            bug("%s:%d: does not hold: %s", __FILE__, __LINE__, #condition);                       \
    } while (0)
/* The same for a fallible call, which says why it failed. */
#define FUZZ_WORKS(call, err)                                                                      \
    do {                                                                                           \
        if (!(call))                                                                               \
            bug("%s:%d: %s: %s", __FILE__, __LINE__, #call, (err).text);                           \
    } while (0)
