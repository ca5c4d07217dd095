/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/client.h"

#include "base/mem.h"

#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 30
/* An idle connection is used again for this long; push services close after an hour or so. */
#define IDLE_SECONDS (10 * 60)

static int client_close(struct http_client *client)
{
    curl_slist_free_all(client->headers);
    if (client->curl)
        curl_easy_cleanup(client->curl);
    bytes_wipe(client->key, client->key_size);
    curl_global_cleanup();
    return 0;
}

#define SET(client, option, value) CURL_SET((client)->curl, option, value)

static void set_identity(struct http_client *client, const struct http_client_settings *settings)
{
    if (!settings->certificate.data)
        return;
    /* Copied by libcurl, the key by us too: so that we can wipe ours when the client goes. */
    client->key_size = settings->key.size;
    client->key = mem_copy(client, settings->key.data, settings->key.size);
    struct curl_blob certificate = {.len = settings->certificate.size, .flags = CURL_BLOB_COPY};
    certificate.data = mem_copy(client, settings->certificate.data, settings->certificate.size);
    struct curl_blob key = {client->key, client->key_size, CURL_BLOB_NOCOPY};
    SET(client, CURLOPT_SSLCERTTYPE, "PEM");
    SET(client, CURLOPT_SSLCERT_BLOB, &certificate);
    SET(client, CURLOPT_SSLKEYTYPE, "PEM");
    SET(client, CURLOPT_SSLKEY_BLOB, &key);
}

static void set_up(struct http_client *client, const struct http_client_settings *settings)
{
    SET(client, CURLOPT_ERRORBUFFER, client->message);
    SET(client, CURLOPT_NOSIGNAL, 1L);
    SET(client, CURLOPT_FOLLOWLOCATION, 0L);
    SET(client, CURLOPT_PROTOCOLS_STR, settings->allows_plain ? "https,http" : "https");
    SET(client, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(client, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(client, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(client, CURLOPT_USERAGENT, "muster/" MUSTER_VERSION);
    SET(client, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(client, CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
    SET(client, CURLOPT_CONNECTTIMEOUT,
        (long)(settings->connect_seconds ? settings->connect_seconds : CONNECT_SECONDS));
    SET(client, CURLOPT_TIMEOUT,
        (long)(settings->answer_seconds ? settings->answer_seconds : ANSWER_SECONDS));
    SET(client, CURLOPT_HTTP_VERSION,
        settings->needs_http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    if (settings->ca_file) {
        SET(client, CURLOPT_CAINFO, settings->ca_file);
        SET(client, CURLOPT_CAPATH, NULL);
    }
    set_identity(client, settings);
}

bool http_client_open(void *owner, const struct http_client_settings *settings,
                      struct http_client **out, struct err *err)
{
    /* counted by libcurl and safe between threads since 7.84 */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    CLEANUP(mem_free_at) struct http_client *client = mem_new(NULL, struct http_client);
    mem_destructor(client, client_close);
    client->curl = curl_easy_init();
    if (!client->curl)
        return err_set(err, ERR_INTERNAL, "libcurl makes no handle");
    client->needs_http2 = settings->needs_http2;
    set_up(client, settings);
    *out = mem_give(owner, &client);
    return true;
}

/* ---- one call ---- */

static size_t body_take(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_add(body, (struct bytes){(const uint8_t *)data, size * count});
    return body->failed ? 0 : size * count;
}

static bool header_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer;
}

static struct curl_slist *headers_make(const struct http_call *call)
{
    struct curl_slist *list = NULL;
    bool ok = header_add(&list, "Expect:"); /* no 100-continue: one round trip less */
    for (size_t i = 0; i < call->header_count; i++) {
        CLEANUP(mem_free_at)
        char *line = mem_format(NULL, "%s: %s", call->headers[i].name, call->headers[i].value);
        ok = ok && header_add(&list, line);
    }
    if (!ok)
        bug("libcurl has no memory");
    return list;
}

/* What OpenSSL says of a peer's alert that is about our certificate: "sslv3 alert certificate
 * expired", "tlsv1 alert unknown ca", "sslv3 alert bad certificate", ... With TLS 1.3 it comes
 * after the handshake. */
static bool is_about_certificate(const char *message)
{
    const char *alert = strstr(message, " alert ");
    return alert && (strstr(alert, "certificate") || strstr(alert, "unknown ca"));
}

static bool why_not(const struct http_client *client, CURLcode code, struct err *err)
{
    if (client->body.failed)
        return err_set(err, ERR_TOO_LARGE, "the answer has more than %zu bytes",
                       client->body.limit);
    const char *text = client->message[0] ? client->message : curl_easy_strerror(code);
    if (is_about_certificate(text))
        return err_set(err, ERR_FORBIDDEN, "the server does not accept our certificate: %s", text);
    return err_set(err, ERR_UNAVAILABLE, "%s", text);
}

static bool check_version(const struct http_client *client, struct err *err)
{
    long version = 0;
    if (!client->needs_http2)
        return true;
    if (curl_easy_getinfo(client->curl, CURLINFO_HTTP_VERSION, &version) != CURLE_OK ||
        version < CURL_HTTP_VERSION_2_0)
        return err_set(err, ERR_UNAVAILABLE, "the server does not speak HTTP/2");
    return true;
}

static void answer_read(struct http_client *client, void *owner, struct http_answer *answer)
{
    long status = 0;
    const char *type = NULL;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
    answer->status = (int)status;
    answer->type = type ? mem_text(owner, type) : NULL;
    answer->retry_after = retry_after;
    struct curl_header *header = NULL;
    if (client->wanted_header && curl_easy_header(client->curl, client->wanted_header, 0,
                                                  CURLH_HEADER, -1, &header) == CURLHE_OK)
        answer->wanted = mem_text(owner, header->value);
}

void client_prepare(struct http_client *client, void *owner, const struct http_call *call)
{
    client->headers = headers_make(call);
    buffer_init(&client->body, owner, call->answer_limit);
    client->message[0] = '\0';
    mem_free(client->wanted_header);
    client->wanted_header = call->wanted_header ? mem_text(client, call->wanted_header) : NULL;
    SET(client, CURLOPT_URL, call->url);
    SET(client, CURLOPT_HTTPHEADER, client->headers);
    SET(client, CURLOPT_WRITEFUNCTION, body_take);
    SET(client, CURLOPT_WRITEDATA, &client->body);
    SET(client, CURLOPT_HTTPGET, 1L);
    if (call->body.data) {
        SET(client, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
        SET(client, CURLOPT_POSTFIELDS, (const char *)call->body.data);
    }
    SET(client, CURLOPT_CUSTOMREQUEST, call->method);
}

bool client_finish(struct http_client *client, void *owner, CURLcode code, struct http_answer *out,
                   struct err *err)
{
    struct http_answer answer = {0};
    SET(client, CURLOPT_HTTPHEADER, NULL);
    SET(client, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(client->headers);
    client->headers = NULL;
    if (code != CURLE_OK)
        return why_not(client, code, err);
    answer_read(client, owner, &answer);
    if (!check_version(client, err) || !buffer_done(&client->body, &answer.body, err))
        return false;
    *out = answer;
    return true;
}

bool http_client_send(struct http_client *client, void *owner, const struct http_call *call,
                      struct http_answer *out, struct err *err)
{
    client_prepare(client, owner, call);
    return client_finish(client, owner, curl_easy_perform(client->curl), out, err);
}
