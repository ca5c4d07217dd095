/* SPDX-License-Identifier: Apache-2.0 */
/* Server tokens of the enrolment service, and its answers. */
#include "tests/fuzz/fuzz.h"

#include "channel/apple/service_message.h"
#include "channel/apple/service_token.h"

FUZZ_HARNESS(owner, in)
{
    struct apple_token token, again;
    struct service_page page;
    struct service_account account;
    struct bytes cms;
    struct err err;
    if (apple_token_unwrap(owner, in, &cms, &err))
        FUZZ_HOLDS(cms.size <= SERVICE_TOKEN_MAX);
    if (apple_token_parse(owner, in, &token, &err)) {
        FUZZ_HOLDS(token.consumer_key[0] && token.access_secret[0]);
        FUZZ_WORKS(apple_token_load(owner, apple_token_store(owner, &token), &again, &err), err);
    }
    if (apple_service_page_parse(owner, in, &page, &err)) {
        FUZZ_HOLDS(page.count <= SERVICE_PAGE_MAX && page.cursor[0]);
        for (size_t i = 0; i < page.count; i++)
            FUZZ_HOLDS(page.changes[i].device.serial[0]);
    }
    bool is_account = apple_service_account_parse(owner, in, &account, &err);
    (void)is_account;
    FUZZ_HOLDS(apple_service_refusal(owner, in));
}
