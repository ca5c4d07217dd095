/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/service_token.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "pki/digest.h"

#define SECRET_LONGEST 512 /* characters of each part */
#define DER_SEQUENCE_TAG 0x30
#define BEGIN "-----BEGIN MESSAGE-----"
#define END "-----END MESSAGE-----"

static const struct json_limits limits = {.size = 8192, .depth = 4, .nodes = 64};

static bool no_token(struct err *err)
{
    return err_set(err, ERR_BAD_INPUT, "this is no server token of Apple's enrolment service");
}

/* ---- file to CMS ---- */

static struct bytes after(struct bytes in, const char *mark)
{
    const uint8_t *at = memmem(in.data, in.size, mark, strlen(mark));
    if (!at)
        return NO_BYTES;
    at += strlen(mark);
    return (struct bytes){at, (size_t)(in.data + in.size - at)};
}

bool apple_token_unwrap(void *owner, struct bytes file, struct bytes *out, struct err *err)
{
    if (file.size == 0 || file.size > SERVICE_TOKEN_MAX)
        return no_token(err);
    if (file.data[0] == DER_SEQUENCE_TAG) {
        *out = bytes_copy(owner, file);
        return true;
    }
    struct bytes body = after(file, "\r\n\r\n");
    if (!body.data)
        body = after(file, "\n\n");
    if (!body.data) /* no header: the base64 alone */
        body = file;
    return base64_decode_spaced(owner, body, SERVICE_TOKEN_MAX, out, err) || no_token(err);
}

/* ---- JSON ---- */

static const struct field stored_rows[] = {
    TEXT_FIELD(struct apple_token, consumer_key, FIELD_REQUIRED, .lowest = 1,
               .highest = SECRET_LONGEST),
    TEXT_FIELD(struct apple_token, consumer_secret, FIELD_REQUIRED, .lowest = 1,
               .highest = SECRET_LONGEST),
    TEXT_FIELD(struct apple_token, access_token, FIELD_REQUIRED, .lowest = 1,
               .highest = SECRET_LONGEST),
    TEXT_FIELD(struct apple_token, access_secret, FIELD_REQUIRED, .lowest = 1,
               .highest = SECRET_LONGEST),
    FIELD_OF("access_token_expiry", FIELD_TIME, int64_t, struct apple_token, expires_at,
             FIELD_REQUIRED),
};

/* What Apple adds later is passed over on purpose. */
static json_t *known_part(const json_t *object)
{
    json_t *part = json_object();
    for (size_t i = 0; i < COUNT(stored_rows); i++) {
        json_t *value = json_object_get(object, stored_rows[i].name);
        if (value)
            json_set(part, stored_rows[i].name, json_incref(value));
    }
    return part;
}

bool apple_token_load(void *owner, struct bytes stored, struct apple_token *out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct apple_token token = {0};
    if (!json_parse(stored, &limits, &json, err) || !json_is_object(json))
        return no_token(err);
    CLEANUP(json_decref_at) json_t *part = known_part(json);
    if (!json_bind(owner, part, FIELDS(stored_rows), &token, NULL, err))
        return false;
    *out = token;
    return true;
}

struct bytes apple_token_store(void *owner, const struct apple_token *token)
{
    CLEANUP(json_decref_at) json_t *json = json_from(FIELDS(stored_rows), token);
    return bytes_text(json_canonical(owner, json));
}

bool apple_token_parse(void *owner, struct bytes plain, struct apple_token *out, struct err *err)
{
    struct bytes json = after(plain, BEGIN);
    const uint8_t *end = json.data ? memmem(json.data, json.size, END, strlen(END)) : NULL;
    if (!end)
        return no_token(err);
    json.size = (size_t)(end - json.data);
    return apple_token_load(owner, json, out, err);
}

/* ---- OAuth ---- */

char *apple_token_authorize(void *owner, const struct apple_token *token, const char *method,
                            const char *url, const char *nonce, int64_t now)
{
    CLEANUP(mem_free_at) void *scratch = mem_new(NULL, char);
    const char *consumer = uri_encode(scratch, token->consumer_key);
    const char *access = uri_encode(scratch, token->access_token);
    const char *once = uri_encode(scratch, nonce);
    /* in the order of their names (RFC 5849 3.4.1.3.2) */
    const char *parameters =
        mem_format(scratch,
                   "oauth_consumer_key=%s&oauth_nonce=%s&oauth_signature_method=HMAC-SHA1&"
                   "oauth_timestamp=%lld&oauth_token=%s&oauth_version=1.0",
                   consumer, once, (long long)now, access);
    const char *text = mem_format(scratch, "%s&%s&%s", method, uri_encode(scratch, url),
                                  uri_encode(scratch, parameters));
    char *key = mem_format(scratch, "%s&%s", uri_encode(scratch, token->consumer_secret),
                           uri_encode(scratch, token->access_secret));
    uint8_t mac[20];
    digest_hmac_sha1(bytes_text(key), bytes_text(text), mac);
    bytes_wipe(key, strlen(key));
    return mem_format(owner,
                      "OAuth realm=\"ADM\", oauth_consumer_key=\"%s\", oauth_token=\"%s\", "
                      "oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"%s\", "
                      "oauth_timestamp=\"%lld\", oauth_nonce=\"%s\", oauth_version=\"1.0\"",
                      consumer, access, uri_encode(scratch, base64_encode(scratch, BYTES_OF(mac))),
                      (long long)now, once);
}
