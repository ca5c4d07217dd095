/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/apns_answer.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"

#define REASON_MAX 100                             /* bytes */
#define RETRY_MOST_SECONDS ((int64_t)24 * 60 * 60) /* a longer wish is not taken for one */

/* A reason goes before its status; a status that is not here is worth another try. */
static const struct answer_row {
    int status;
    const char *reason; /* NULL: any */
    enum apns_outcome outcome;
} answer_rows[] = {
    {200, NULL, APNS_SENT},
    {400, "BadDeviceToken", APNS_WRONG},
    {400, "DeviceTokenNotForTopic", APNS_WRONG},
    {400, "TopicDisallowed", APNS_CERTIFICATE},
    {400, "BadTopic", APNS_CERTIFICATE},
    {400, NULL, APNS_REFUSED},
    {403, NULL, APNS_CERTIFICATE},
    {404, NULL, APNS_REFUSED},
    {405, NULL, APNS_REFUSED},
    {410, NULL, APNS_DEAD},
    {413, NULL, APNS_REFUSED},
    {429, NULL, APNS_LATER},
    {503, NULL, APNS_AWAY},
};

/* {"reason": "Unregistered", "timestamp": milliseconds}; a body that is none says nothing. */
static void reason_read(void *owner, struct bytes body, struct apns_answer *answer)
{
    const struct json_limits limits = {APNS_ANSWER_MAX, 4, 100};
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct err ignored;
    if (body.size == 0 || !json_parse(body, &limits, &json, &ignored))
        return;
    const char *reason = json_string_value(json_object_get(json, "reason"));
    int64_t since = json_integer_value(json_object_get(json, "timestamp")) / 1000;
    if (reason && strlen(reason) <= REASON_MAX)
        answer->reason = mem_text(owner, reason);
    answer->dead_since = since > 0 ? since : 0;
}

static enum apns_outcome outcome_of(int status, const char *reason)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++)
        if (answer_rows[i].status == status &&
            (!answer_rows[i].reason || text_equal(answer_rows[i].reason, reason)))
            return answer_rows[i].outcome;
    return APNS_LATER;
}

struct apns_answer apns_answer_weigh(void *owner, const struct http_answer *http)
{
    struct apns_answer answer = {.status = http->status};
    if (http->status != 200) {
        answer.reason = mem_format(owner, "the push service answered %d", http->status);
        reason_read(owner, http->body, &answer);
    }
    answer.outcome = outcome_of(http->status, answer.reason);
    if (answer.outcome != APNS_DEAD)
        answer.dead_since = 0;
    if (http->retry_after > 0)
        answer.retry_seconds =
            http->retry_after < RETRY_MOST_SECONDS ? http->retry_after : RETRY_MOST_SECONDS;
    return answer;
}

struct apns_answer apns_failure_weigh(void *owner, const struct err *why)
{
    return (struct apns_answer){.outcome =
                                    why->kind == ERR_FORBIDDEN ? APNS_CERTIFICATE : APNS_AWAY,
                                .reason = mem_text(owner, why->text)};
}
