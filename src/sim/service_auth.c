/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask the simulated service: OAuth 1.0a for a session, and the session for all else. */
#include <openssl/hmac.h>

#include "base/config.h"
#include "base/id.h"
#include "base/text.h"
#include "codec/base64.h"
#include "sim/openssl.h"
#include "sim/service.h"

#define TOKEN_SIZE_MAX 8192
#define SKEW_SECONDS 300
#define PARAMETERS_MAX 12
#define SESSION_BITS 128

struct oauth { /* the parameters of an Authorization header, decoded */
    struct uri_pair pairs[PARAMETERS_MAX];
    size_t count;
};

static const char *oauth_get(const struct oauth *oauth, const char *name)
{
    for (size_t i = 0; i < oauth->count; i++)
        if (text_equal(oauth->pairs[i].name, name))
            return oauth->pairs[i].value;
    return "";
}

static bool oauth_parse(void *owner, const char *header, struct oauth *out)
{
    struct err ignored;
    if (!header || !text_starts(header, "OAuth "))
        return false;
    char *rest = mem_text(owner, header + 6);
    for (char *part; (part = strsep(&rest, ",")) != NULL;) {
        char *name = part + strspn(part, " "), *value = strchr(name, '=');
        size_t size = value ? strlen(value) : 0;
        char *decoded = NULL;
        if (size < 3 || value[1] != '"' || value[size - 1] != '"' || out->count == PARAMETERS_MAX)
            return false;
        *value = value[size - 1] = '\0';
        if (*oauth_get(out, name) ||
            !uri_decode(owner, bytes_text(value + 2), false, &decoded, &ignored))
            return false;
        out->pairs[out->count++] = (struct uri_pair){name, decoded};
    }
    return true;
}

static int pair_order(const void *a, const void *b)
{
    return strcmp(((const struct uri_pair *)a)->name, ((const struct uri_pair *)b)->name);
}

/* RFC 5849 3.4.1: method, URL and the sorted parameters without realm and signature. */
static char *base_string(void *owner, struct oauth *oauth, const struct incoming *in)
{
    struct buffer parameters;
    buffer_init(&parameters, owner, TOKEN_SIZE_MAX);
    qsort(oauth->pairs, oauth->count, sizeof(oauth->pairs[0]), pair_order);
    for (size_t i = 0; i < oauth->count; i++) {
        const struct uri_pair *pair = &oauth->pairs[i];
        if (text_equal(pair->name, "realm") || text_equal(pair->name, "oauth_signature"))
            continue;
        buffer_format(&parameters, "%s%s=%s", parameters.size ? "&" : "",
                      uri_encode(owner, pair->name), uri_encode(owner, pair->value));
    }
    const char *host = incoming_header(in, "Host");
    const char *url = mem_format(owner, "https://%s%s", host ? host : "", in->path);
    return mem_format(owner, "%s&%s&%s", in->method, uri_encode(owner, url),
                      uri_encode(owner, buffer_string(&parameters)));
}

static bool signature_holds(void *owner, struct oauth *oauth, const struct incoming *in,
                            const json_t *token)
{
    uint8_t mac[20];
    unsigned size = sizeof(mac);
    const char *text = base_string(owner, oauth, in);
    const char *key =
        mem_format(owner, "%s&%s",
                   uri_encode(owner, json_string_value(json_object_get(token, "consumer_secret"))),
                   uri_encode(owner, json_string_value(json_object_get(token, "access_secret"))));
    return HMAC(EVP_sha1(), key, (int)strlen(key), (const uint8_t *)text, strlen(text), mac,
                &size) &&
           text_equal(oauth_get(oauth, "oauth_signature"), base64_encode(owner, BYTES_OF(mac)));
}

static json_t *token_load(const struct service *service, void *owner)
{
    static const struct json_limits limits = {TOKEN_SIZE_MAX, 4, 64};
    struct bytes content;
    struct err ignored;
    json_t *token = NULL;
    const char *path = mem_format(owner, "%s/" SERVICE_TOKEN_FILE, service->directory);
    return file_read(owner, path, TOKEN_SIZE_MAX, &content, &ignored) &&
                   json_parse(content, &limits, &token, &ignored)
               ? token
               : NULL;
}

/* NULL: the request is signed as it should be; else what Apple says. */
static const char *oauth_problem(struct service *service, const struct incoming *in)
{
    CLEANUP(json_decref_at) json_t *token = token_load(service, in->owner);
    struct oauth oauth = {0};
    int64_t at = 0;
    struct err ignored;
    if (!oauth_parse(in->owner, incoming_header(in, "Authorization"), &oauth))
        return "parameter_absent";
    const char *nonce = oauth_get(&oauth, "oauth_nonce");
    if (!text_equal(oauth_get(&oauth, "realm"), "ADM") ||
        !text_equal(oauth_get(&oauth, "oauth_signature_method"), "HMAC-SHA1") ||
        !text_equal(oauth_get(&oauth, "oauth_version"), "1.0") || !*nonce)
        return "parameter_rejected";
    if (!token || !text_equal(oauth_get(&oauth, "oauth_consumer_key"),
                              json_string_value(json_object_get(token, "consumer_key"))))
        return "consumer_key_unknown";
    if (!text_equal(oauth_get(&oauth, "oauth_token"),
                    json_string_value(json_object_get(token, "access_token"))))
        return "token_rejected";
    if (!number_parse(bytes_text(oauth_get(&oauth, "oauth_timestamp")), 0, INT64_MAX, &at,
                      &ignored) ||
        at < service->now - SKEW_SECONDS || at > service->now + SKEW_SECONDS)
        return "timestamp_refused";
    if (!signature_holds(in->owner, &oauth, in, token))
        return "signature_invalid";
    if (json_object_get(service->nonces, nonce))
        return "nonce_used";
    json_object_set_new(service->nonces, nonce, json_true());
    return NULL;
}

static void session_make(struct service *service)
{
    mem_free(service->session);
    service->session = random_text(service, SESSION_BITS);
}

bool service_session_take(struct service *service, const struct incoming *in, struct outgoing *out)
{
    const char *problem = oauth_problem(service, in);
    if (problem) {
        answer_word(out, 401, problem);
        return false;
    }
    session_make(service);
    service->session_calls = service->session_life ? service->session_life : -1;
    answer_json(in, out, 200, json_pack("{s:s}", "auth_session_token", service->session));
    return true;
}

bool service_session_check(struct service *service, const struct incoming *in, struct outgoing *out)
{
    const char *session = incoming_header(in, "X-ADM-Auth-Session");
    const char *type = incoming_header(in, "Content-Type");
    if (!session || !service->session || !text_equal(session, service->session)) {
        answer_word(out, 401, "UNAUTHORIZED");
        return false;
    }
    if (service->session_calls == 0) {
        answer_word(out, 403, "FORBIDDEN");
        return false;
    }
    if (!incoming_header(in, "X-Server-Protocol-Version") ||
        (in->body.size > 0 && (!type || !text_starts(type, "application/json")))) {
        answer_word(out, 400, "MALFORMED_REQUEST_HEADER");
        return false;
    }
    if (service->session_calls > 0)
        service->session_calls--;
    if (service->rotates) {
        session_make(service);
        out->header = mem_format(in->owner, "X-ADM-Auth-Session: %s", service->session);
    }
    return true;
}
