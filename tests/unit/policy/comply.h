/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of compliance share: a phone, the time, and facts written as a table. */
#pragma once

#include "policy/comply.h"
#include "tests/test.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define HOUR INT64_C(3600)

static const struct target_device phone = {.platform = PLATFORM_IOS, .os_version = "17.5"};

/* A fact of a table: a name of NULL ends the list. */
struct told {
    const char *name, *value;
    enum evidence evidence; /* EVIDENCE_NONE: measured */
    int64_t age;
};

static inline size_t facts_of(void *owner, const struct told *told, struct fact *out)
{
    size_t count = 0;
    for (; told[count].name; count++)
        out[count] = (struct fact){
            .name = mem_text(owner, told[count].name),
            .value = mem_text(owner, told[count].value),
            .evidence = told[count].evidence ? told[count].evidence : EVIDENCE_MEASURED,
            .source = mem_text(owner, "SecurityInfo"),
            .reported_at = NOW - told[count].age,
        };
    return count;
}

#define SETS(id, asked)                                                                            \
    {                                                                                              \
        .kind = COMPLY_SETTING, .setting = SETTING_##id, .value = (asked)                          \
    }
#define PRESENT                                                                                    \
    {                                                                                              \
        FACT_PASSWORD_PRESENT, "true", 0, 0                                                        \
    }
#define ABSENT                                                                                     \
    {                                                                                              \
        FACT_PASSWORD_PRESENT, "false", 0, 0                                                       \
    }
#define OBEYS                                                                                      \
    {                                                                                              \
        FACT_PASSWORD_COMPLIANT, "true", 0, 0                                                      \
    }
#define FAILS                                                                                      \
    {                                                                                              \
        FACT_PASSWORD_COMPLIANT, "false", 0, 0                                                     \
    }
#define RUNS(version)                                                                              \
    {                                                                                              \
        FACT_OS_VERSION, version, 0, 0                                                             \
    }
