/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of Apple devices: both kinds of body, and what their answers are turned into. */
#include "channel/apple/errors.h"
#include "channel/apple/facts.h"
#include "channel/apple/message.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct bytes body = {data, size};
    struct apple_checkin checkin;
    struct apple_result result;
    struct apple_refusal refusal;
    struct fact *facts = NULL;
    struct reported_item *items = NULL;
    size_t count = 0;
    struct err err;
    if (apple_checkin_parse(owner, body, &checkin, &err) && checkin.sender.udid[0] == '\0')
        abort();
    if (!apple_result_parse(owner, body, &result, &err))
        return 0;
    if ((result.status == APPLE_IDLE) != !result.command_uuid)
        abort();
    apple_error_explain(owner, &result, &refusal);
    apple_facts_read(owner, result.answer, 0, &facts, &count);
    (void)apple_items_read(owner, result.answer, &items, &count);
    return 0;
}
