/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of Apple devices: both kinds of body, and what their answers are turned into. */
#include "tests/fuzz/fuzz.h"

#include "channel/apple/errors.h"
#include "channel/apple/facts.h"
#include "channel/apple/message.h"

static void answer_read(void *owner, const struct apple_result *result)
{
    struct apple_refusal refusal;
    struct fact *facts = NULL;
    struct reported_item *items = NULL;
    size_t count = 0;
    apple_error_explain(owner, result, &refusal);
    FUZZ_HOLDS(refusal.reason);
    apple_facts_read(owner, result->answer, 0, &facts, &count);
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(facts[i].name && facts[i].value);
    if (!apple_items_read(owner, result->answer, &items, &count))
        return;
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(items[i].item[0] != '\0');
}

FUZZ_HARNESS(owner, in)
{
    struct apple_checkin checkin;
    struct apple_result result;
    struct err err;
    if (apple_checkin_parse(owner, in, &checkin, &err)) {
        FUZZ_HOLDS(checkin.sender.udid[0] != '\0');
        FUZZ_HOLDS(checkin.kind != CHECKIN_TOKEN_UPDATE || checkin.token_update.token.size > 0);
    }
    if (apple_result_parse(owner, in, &result, &err)) {
        FUZZ_HOLDS(result.status != APPLE_IDLE || !result.command_uuid);
        FUZZ_HOLDS(result.status == APPLE_IDLE || result.status == APPLE_UNKNOWN ||
                   result.command_uuid[0] != '\0');
        answer_read(owner, &result);
    }
}
