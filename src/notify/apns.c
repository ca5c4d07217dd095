/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/apns.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"
#include "connect/http_many.h"

#define TOKEN_SIZE_MAX 100 /* bytes */

struct apns {
    struct http_many *many;
    char *url;
};

bool apns_open(void *owner, const struct apns_settings *settings, struct apns **out,
               struct err *err)
{
    CLEANUP(mem_free_at) struct apns *apns = mem_new(NULL, struct apns);
    const struct http_many_settings http = {
        .client = {.ca_file = settings->ca_file,
                   .certificate = bytes_text(settings->certificate_pem),
                   .key = bytes_text(settings->key_pem),
                   .needs_http2 = true},
        .connections = APNS_CONNECTIONS_MOST,
        .calls = APNS_PUSHES_MOST,
    };
    apns->url = mem_text(apns, settings->url);
    if (!http_many_open(apns, &http, &apns->many, err))
        return false;
    *out = mem_give(owner, &apns);
    return true;
}

size_t apns_room(const struct apns *apns)
{
    return http_many_room(apns->many);
}

size_t apns_under_way(const struct apns *apns)
{
    return http_many_under_way(apns->many);
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

bool apns_start(struct apns *apns, const struct apns_push *push, void *context, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    struct bytes body;
    if (push->token.size == 0 || push->token.size > TOKEN_SIZE_MAX ||
        !payload_make(scratch, push->magic, &body))
        return err_set(err, ERR_BAD_INPUT, "the push address is malformed");
    const char *token = text_hex(scratch, push->token);
    const struct http_line headers[] = {
        {"apns-topic", push->topic},
        {"apns-push-type", "mdm"},
        {"apns-expiration", mem_format(scratch, "%" PRId64, push->expires_at)},
        {"apns-priority", "10"},
        {"Content-Type", "application/json"},
    };
    const struct http_call call = {
        .method = "POST",
        .url = mem_format(scratch, "%s/3/device/%s", apns->url, token),
        .headers = headers,
        .header_count = COUNT(headers),
        .body = body,
        .answer_limit = APNS_ANSWER_MAX,
    };
    return http_many_start(apns->many, &call, context, err);
}

void apns_work(struct apns *apns, int ms, size_t enough)
{
    http_many_work(apns->many, ms, enough);
}

bool apns_next(struct apns *apns, void *owner, void **context, struct apns_answer *out)
{
    struct http_many_answer got;
    if (!http_many_next(apns->many, owner, &got))
        return false;
    *context = got.context;
    *out = got.is_answered ? apns_answer_weigh(owner, &got.answer)
                           : apns_failure_weigh(owner, &got.err);
    return true;
}
