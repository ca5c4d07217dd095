/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/apns_check.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"

#define DEVICE_PATH "/3/device/"

static bool token_is_good(const char *token)
{
    return strlen(token) == PUSH_TOKEN_HEX &&
           strspn(token, "0123456789abcdefABCDEF") == PUSH_TOKEN_HEX;
}

static bool number_is_good(const char *text, int64_t highest)
{
    int64_t number;
    struct err ignored;
    return number_parse(bytes_text(text), 0, highest, &number, &ignored);
}

static bool priority_is_good(const char *text)
{
    return text_equal(text, "10") || text_equal(text, "5") || text_equal(text, "1");
}

/* Exactly {"mdm": "<push magic>"}. */
static const char *magic_take(void *owner, struct bytes body)
{
    static const struct json_limits limits = {.size = PUSH_BODY_MAX, .depth = 2, .nodes = 8};
    CLEANUP(json_decref_at) json_t *object = NULL;
    struct err ignored;
    if (!json_parse(body, &limits, &object, &ignored) || json_object_size(object) != 1)
        return NULL;
    const char *magic = json_string_value(json_object_get(object, "mdm"));
    return magic && *magic ? mem_text(owner, magic) : NULL;
}

static struct push_verdict headers_check(const struct push *push, const char *topic)
{
    if (!push->topic)
        return (struct push_verdict){.status = 400, .reason = "MissingTopic"};
    if (!text_equal(push->topic, topic))
        return (struct push_verdict){.status = 400, .reason = "TopicDisallowed"};
    if (!text_equal(push->push_type, "mdm"))
        return (struct push_verdict){.status = 400, .reason = "InvalidPushType"};
    if (push->expiration && !number_is_good(push->expiration, INT64_MAX))
        return (struct push_verdict){.status = 400, .reason = "BadExpirationDate"};
    if (push->priority && !priority_is_good(push->priority))
        return (struct push_verdict){.status = 400, .reason = "BadPriority"};
    if (push->id && !id_is_valid(push->id))
        return (struct push_verdict){.status = 400, .reason = "BadMessageId"};
    return (struct push_verdict){.status = 200, .reason = NULL};
}

struct push_verdict push_check(void *owner, const struct push *push, const char *topic,
                               const char **token_out, const char **magic_out)
{
    if (!push->path || !text_starts(push->path, DEVICE_PATH))
        return (struct push_verdict){.status = 404, .reason = "BadPath"};
    const char *token = push->path + strlen(DEVICE_PATH);
    if (!text_equal(push->method, "POST"))
        return (struct push_verdict){.status = 405, .reason = "MethodNotAllowed"};
    if (!*token)
        return (struct push_verdict){.status = 400, .reason = "MissingDeviceToken"};
    if (!token_is_good(token))
        return (struct push_verdict){.status = 400, .reason = "BadDeviceToken"};
    struct push_verdict verdict = headers_check(push, topic);
    if (verdict.status != 200)
        return verdict;
    if (push->body.size == 0)
        return (struct push_verdict){.status = 400, .reason = "PayloadEmpty"};
    if (push->body.size > PUSH_BODY_MAX)
        return (struct push_verdict){.status = 413, .reason = "PayloadTooLarge"};
    const char *magic = magic_take(owner, push->body);
    if (!magic) /* Apple would deliver it to nobody; a test wants to know */
        return (struct push_verdict){.status = 400, .reason = "BadPayload"};
    *token_out = token;
    *magic_out = magic;
    return verdict;
}
