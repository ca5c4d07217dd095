/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/service_client.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "channel/apple/service_message.h"

#define PROTOCOL_VERSION "3" /* since then records tell family and system */
#define NONCE_BITS 128
#define SESSION_HEADER "X-ADM-Auth-Session"
#define RETRY_AFTER_MOST 86400 /* seconds */

struct service_client {
    struct http_client *http;
    char *url;
    char *session; /* NULL: none */
};

bool service_client_open(void *owner, const struct service_client_settings *settings,
                         struct service_client **out, struct err *err)
{
    CLEANUP(mem_free_at) struct service_client *client = mem_new(NULL, struct service_client);
    const struct http_client_settings http = {.ca_file = settings->ca_file};
    client->url = mem_text(client, settings->url);
    if (!http_client_open(client, &http, &client->http, err))
        return false;
    *out = mem_give(owner, &client);
    return true;
}

void service_client_forget(struct service_client *client)
{
    if (client->session)
        bytes_wipe(client->session, strlen(client->session));
    mem_free(client->session);
    client->session = NULL;
}

/* One exchange; any status is an answer. */
static bool exchange(struct service_client *client, void *owner, const struct service_call *call,
                     const struct http_line *who, struct http_answer *answer, struct err *err)
{
    const struct http_line headers[] = {
        *who,
        {"X-Server-Protocol-Version", PROTOCOL_VERSION},
        {"Content-Type", "application/json;charset=UTF8"},
        {"Accept", "application/json"},
    };
    const struct http_call http = {.method = call->method,
                                   .url = mem_format(owner, "%s%s", client->url, call->path),
                                   .headers = headers,
                                   .header_count = COUNT(headers),
                                   .body = call->body,
                                   .answer_limit = SERVICE_ANSWER_MAX,
                                   .wanted_header = SESSION_HEADER};
    return http_client_send(client->http, owner, &http, answer, err);
}

static bool refuse(void *owner, const struct http_answer *answer, struct service_reply *reply,
                   struct err *err)
{
    int64_t pause = answer->retry_after;
    reply->word = apple_service_refusal(owner, answer->body);
    reply->status = answer->status;
    reply->retry_after = pause < RETRY_AFTER_MOST ? pause : RETRY_AFTER_MOST;
    struct service_advice advice = apple_service_advice(owner, answer->status, reply->word);
    bool is_busy = answer->status == 429 || answer->status >= 500;
    (void)err_set(err, is_busy ? ERR_UNAVAILABLE : ERR_FORBIDDEN, "%s", advice.problem);
    err->remedy = advice.remedy;
    return false;
}

static bool session_open(struct service_client *client, void *owner,
                         const struct service_call *call, struct service_reply *reply,
                         struct err *err)
{
    const struct service_call session = {.method = "GET", .path = "/session"};
    const char *url = mem_format(owner, "%s/session", client->url);
    const struct http_line who = {"Authorization",
                                  apple_token_authorize(owner, call->token, "GET", url,
                                                        random_text(owner, NONCE_BITS), call->now)};
    struct http_answer answer;
    if (!exchange(client, owner, &session, &who, &answer, err))
        return false;
    if (answer.status != 200)
        return refuse(owner, &answer, reply, err);
    return apple_service_session_parse(client, answer.body, &client->session, err);
}

/* The service may give another session with any answer. */
static void session_renew(struct service_client *client, const struct http_answer *answer)
{
    if (!answer->wanted || !*answer->wanted || text_equal(answer->wanted, client->session))
        return;
    service_client_forget(client);
    client->session = mem_text(client, answer->wanted);
}

/* 401, or 403 without one of the words that mean something else. */
static bool is_session_gone(void *owner, const struct http_answer *answer)
{
    if (answer->status == 401)
        return true;
    const char *word = apple_service_refusal(owner, answer->body);
    return answer->status == 403 && !text_equal(word, "T_C_NOT_SIGNED") &&
           !text_equal(word, "ACCESS_DENIED");
}

bool service_client_call(struct service_client *client, void *owner,
                         const struct service_call *call, struct service_reply *reply,
                         struct err *err)
{
    struct http_answer answer = {0};
    *reply = (struct service_reply){.word = mem_text(owner, "")};
    for (int turn = 0; turn < 2; turn++) {
        if (!client->session && !session_open(client, owner, call, reply, err))
            return false;
        const struct http_line who = {SESSION_HEADER, client->session};
        if (!exchange(client, owner, call, &who, &answer, err))
            return false;
        if (!is_session_gone(owner, &answer))
            break;
        service_client_forget(client);
    }
    if (answer.status != 200)
        return refuse(owner, &answer, reply, err);
    session_renew(client, &answer);
    reply->status = answer.status;
    reply->body = answer.body;
    return true;
}
