/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fact.h"

#include <string.h>

#include "base/mem.h"
#include "model/platform.h"

const char *const platform_names[] = {"ios", "ipados", "macos", NULL};
const char *const evidence_names[] = {"none",     "claimed",  "acknowledged",
                                      "measured", "attested", NULL};

static const struct field rows[] = {
    TEXT_FIELD(struct fact, name, FIELD_READ_ONLY, .help = "Name in catalogue words"),
    TEXT_FIELD(struct fact, value, FIELD_READ_ONLY, .help = "Value in text form"),
    ENUM_FIELD(struct fact, evidence, FIELD_READ_ONLY, evidence_names,
               .help = "How far it can be trusted"),
    TEXT_FIELD(struct fact, source, FIELD_READ_ONLY, .help = "What was asked"),
    TIME_FIELD(struct fact, reported_at, FIELD_READ_ONLY, .help = "When the device reported it"),
};
const struct fields fact_fields = FIELDS(rows);

const char *const fact_private_areas[] = {"network.", "sim.", "backup.", "lost_mode.", NULL};

bool fact_is_private(const char *name)
{
    for (size_t i = 0; fact_private_areas[i]; i++)
        if (strncmp(name, fact_private_areas[i], strlen(fact_private_areas[i])) == 0)
            return true;
    return false;
}
