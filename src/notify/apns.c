/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/apns.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"
#include "connect/http.h"

#define TOKEN_SIZE_MAX 100          /* bytes */
#define ANSWER_SIZE_MAX (16 * 1024) /* bytes: a reason and a time */
#define AGAIN_SECONDS 60            /* after an answer that asks for patience */

struct apns {
    struct http_client *client;
    char *url;
};

bool apns_open(void *owner, const struct apns_settings *settings, struct apns **out,
               struct err *err)
{
    CLEANUP(mem_free_at) struct apns *apns = mem_new(NULL, struct apns);
    const struct http_client_settings http = {
        .ca_file = settings->ca_file,
        .certificate = bytes_text(settings->certificate_pem),
        .key = bytes_text(settings->key_pem),
        .needs_http2 = true,
    };
    apns->url = mem_text(apns, settings->url);
    if (!http_client_open(apns, &http, &apns->client, err))
        return false;
    *out = mem_give(owner, &apns);
    return true;
}

/* Apple, "Handling notification responses from APNs". Another status is worth another try. */
static const struct answer_row {
    int status;
    enum apns_outcome outcome;
} answer_rows[] = {
    {200, APNS_SENT},    {400, APNS_REFUSED}, {403, APNS_REFUSED}, {404, APNS_REFUSED},
    {405, APNS_REFUSED}, {410, APNS_DEAD},    {413, APNS_REFUSED}, {429, APNS_LATER},
};
/* Reasons of 400 that are about the address and not about us. */
static const char *const dead_reasons[] = {"BadDeviceToken", "DeviceTokenNotForTopic", NULL};

/* {"reason": "Unregistered", "timestamp": milliseconds}; a body that is none says nothing. */
static void reason_read(void *owner, struct bytes body, struct apns_answer *answer)
{
    const struct json_limits limits = {ANSWER_SIZE_MAX, 4, 100};
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct err ignored;
    if (body.size == 0 || !json_parse(body, &limits, &json, &ignored))
        return;
    const char *reason = json_string_value(json_object_get(json, "reason"));
    if (reason && strlen(reason) <= 100)
        answer->reason = mem_text(owner, reason);
    answer->dead_since = json_integer_value(json_object_get(json, "timestamp")) / 1000;
}

static void answer_weigh(void *owner, const struct http_answer *http, struct apns_answer *answer)
{
    answer->status = http->status;
    answer->outcome = APNS_LATER;
    for (size_t i = 0; i < COUNT(answer_rows); i++)
        if (answer_rows[i].status == http->status)
            answer->outcome = answer_rows[i].outcome;
    if (answer->outcome == APNS_SENT)
        return;
    answer->reason = mem_format(owner, "the push service answered %d", http->status);
    reason_read(owner, http->body, answer);
    if (http->status == 400 && name_find(dead_reasons, answer->reason) >= 0)
        answer->outcome = APNS_DEAD;
    if (answer->outcome == APNS_LATER)
        answer->retry_seconds = http->retry_after > 0 ? http->retry_after : AGAIN_SECONDS;
}

static bool payload_make(void *owner, struct bytes magic, struct bytes *out)
{
    const char *text = bytes_to_text(owner, magic);
    CLEANUP(json_decref_at) json_t *body = json_object();
    if (!text || json_object_set_new(body, "mdm", json_string(text)) != 0)
        return false;
    *out = bytes_text(json_text(owner, body));
    return true;
}

void apns_send(struct apns *apns, void *owner, const struct apns_push *push,
               struct apns_answer *out)
{
    struct bytes body;
    struct http_answer http;
    struct err err;
    *out = (struct apns_answer){.outcome = APNS_REFUSED, .reason = "the push address is malformed"};
    if (push->token.size == 0 || push->token.size > TOKEN_SIZE_MAX ||
        !payload_make(owner, push->magic, &body))
        return;
    CLEANUP(mem_free_at) char *token = text_hex(NULL, push->token);
    CLEANUP(mem_free_at) char *url = mem_format(NULL, "%s/3/device/%s", apns->url, token);
    CLEANUP(mem_free_at) char *expiration = mem_format(NULL, "%" PRId64, push->expires_at);
    const struct http_line headers[] = {
        {"apns-topic", push->topic},          {"apns-push-type", "mdm"},
        {"apns-expiration", expiration},      {"apns-priority", "10"},
        {"Content-Type", "application/json"},
    };
    const struct http_call call = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = COUNT(headers),
        .body = body,
        .answer_limit = ANSWER_SIZE_MAX,
    };
    *out = (struct apns_answer){.outcome = APNS_LATER};
    if (http_client_send(apns->client, owner, &call, &http, &err))
        answer_weigh(owner, &http, out);
    else
        out->reason = mem_text(owner, err.text);
}
