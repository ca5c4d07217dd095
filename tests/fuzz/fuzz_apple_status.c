/* SPDX-License-Identifier: Apache-2.0 */
/* Status reports of Apple devices that manage themselves. */
#include "tests/fuzz/fuzz.h"

#include "channel/apple/status.h"

FUZZ_HARNESS(owner, in)
{
    struct declared_report report;
    struct err err;
    if (!apple_status_parse(owner, in, 0, &report, &err))
        return;
    for (size_t i = 0; i < report.fact_count; i++)
        FUZZ_HOLDS(report.facts[i].name && report.facts[i].value[0] != '\0');
    for (size_t i = 0; i < report.count; i++) {
        const struct declared *one = &report.declared[i];
        FUZZ_HOLDS(one->declaration.identifier[0] != '\0' && one->declaration.token);
        FUZZ_HOLDS(!one->item || one->declaration.kind == DECLARATION_CONFIGURATION);
    }
}
