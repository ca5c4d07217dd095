/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/account.h"

#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "codec/plist.h"
#include "codec/uri.h"
#include "sim/maker.h"

#define WELL_KNOWN "/.well-known/com.apple.remotemanagement"
#define VERSION_BYOD "mdm-byod"
#define MACHINE_TYPE "application/pkcs7-signature"
#define RESULT_URL "apple-remotemanagement-user-login://authentication-results?access-token="
#define MACHINE_SIZE_MAX 16384
#define KEY_BITS 2048
#define CERTIFICATE_SECONDS 86400
#define MAKER_NAME "Simulated device" /* nothing names the phone */

static const struct json_limits server_limits = {8192, 4, 50};

/* ---- who manages this account ---- */

static bool base_url(void *owner, const json_t *json, const char **out, struct err *err)
{
    const json_t *server = json_array_get(json_object_get(json, "Servers"), 0);
    const char *version = json_string_value(json_object_get(server, "Version"));
    const char *url = json_string_value(json_object_get(server, "BaseURL"));
    if (!text_equal(version, VERSION_BYOD) || !url || !text_starts(url, "https://"))
        return err_set(err, ERR_BAD_INPUT, "the account's domain names no server for this phone");
    *out = mem_text(owner, url);
    return true;
}

static bool discover(struct phone *phone, void *owner, const struct account_way *way,
                     const char **out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *json = NULL;
    struct web_reply reply;
    const struct web_request request = {
        .method = "GET",
        .url = mem_format(owner, "%s" WELL_KNOWN "?user-identifier=%s&model-family=%s", way->host,
                          uri_encode(owner, way->account),
                          text_starts(phone->model.product, "iPad") ? "iPad" : "iPhone")};
    if (!web_send(phone->web, owner, &request, &reply, err))
        return err_context(err, "discovery");
    if (reply.status != 200 || !reply.content_type ||
        !text_starts(reply.content_type, "application/json"))
        return err_set(err, ERR_FORBIDDEN, "discovery answered %d", reply.status);
    return json_parse(reply.body, &server_limits, &json, err) && base_url(owner, json, out, err);
}

/* ---- what the phone says of itself: no name, signed as by its maker ---- */

static bool maker_certificate(EVP_PKEY *key, X509 **out, struct err *err)
{
    CLEANUP(X509_free_at) X509 *made = mem_must(X509_new());
    X509_NAME *name = X509_get_subject_name(made);
    if (!X509_set_version(made, 2) || !ASN1_INTEGER_set(X509_get_serialNumber(made), 1) ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)MAKER_NAME,
                                    -1, -1, 0) ||
        !X509_set_issuer_name(made, name) || !X509_gmtime_adj(X509_getm_notBefore(made), 0) ||
        !X509_gmtime_adj(X509_getm_notAfter(made), CERTIFICATE_SECONDS) ||
        !X509_set_pubkey(made, key) || !X509_sign(made, key, EVP_sha256()))
        return openssl_failed(err, ERR_INTERNAL, "the maker's certificate");
    *out = made;
    made = NULL;
    return true;
}

/* As a device that nobody certified: its maker is not known to the server. */
static bool self_sign(void *owner, struct bytes plain, struct bytes *out, struct err *err)
{
    CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    CLEANUP(X509_free_at) X509 *certificate = NULL;
    if (!key_make_rsa(KEY_BITS, &key, err) || !maker_certificate(key, &certificate, err))
        return false;
    const struct maker self = {key, certificate, certificates_new(owner)};
    return maker_sign(owner, &self, plain, out, err);
}

static bool machine_info(struct phone *phone, void *owner, const struct account_way *way,
                         struct bytes *out, struct err *err)
{
    struct plist *info = plist_new_dict(owner);
    struct maker *maker = NULL;
    struct bytes plain;
    plist_set_text(info, "LANGUAGE", "en");
    plist_set_text(info, "PRODUCT", phone->model.product);
    plist_set_text(info, "VERSION", phone->model.os_build);
    if (!plist_render(owner, info, MACHINE_SIZE_MAX, &plain, err))
        return false;
    if (!way->authority)
        return self_sign(owner, plain, out, err);
    return maker_open(owner, way->authority, MAKER_NAME, NULL, &maker, err) &&
           maker_sign(owner, maker, plain, out, err);
}

/* ---- the sign-in, in a web view ---- */

/* Bearer method="apple-as-web", url="https://..." */
static bool web_url(void *owner, const char *header, const char **out, struct err *err)
{
    static const char method[] = "Bearer method=\"apple-as-web\"", url[] = "url=\"";
    const char *at = header && text_starts(header, method) ? strstr(header, url) : NULL;
    const char *end = at ? strchr(at + strlen(url), '"') : NULL;
    if (!end)
        return err_set(err, ERR_FORBIDDEN, "the server does not say where to sign in");
    at += strlen(url);
    *out = mem_format(owner, "%.*s", (int)(end - at), at);
    return text_starts(*out, "https://") ||
           err_set(err, ERR_FORBIDDEN, "the page to sign in at is not https");
}

static bool web_view(struct phone *phone, void *owner, const struct account_way *way,
                     const char *authenticate, json_t *report, const char **token, struct err *err)
{
    struct sign_in person = *way->person;
    struct web_reply end;
    const char *url = NULL;
    if (!web_url(owner, authenticate, &url, err))
        return false;
    person.url = mem_format(owner, "%s?user-identifier=%s", url, uri_encode(owner, way->account));
    if (!person.user)
        person.user = way->account;
    if (!sign_in_follow(phone->web, owner, &person, report, &end, err))
        return false;
    if (end.status != 308 || !end.location || !text_starts(end.location, RESULT_URL))
        return err_set(err, ERR_FORBIDDEN, "the sign-in ended with %d and no token", end.status);
    *token = mem_text(owner, end.location + sizeof(RESULT_URL) - 1);
    return true;
}

struct asking {
    const char *url, *token; /* token NULL: none yet */
    struct bytes body;
    json_t *answers;
};

static bool ask(struct phone *phone, void *owner, const struct asking *asking,
                struct web_reply *out, struct err *err)
{
    struct web_request request = {
        .method = "POST", .url = asking->url, .content_type = MACHINE_TYPE, .body = asking->body};
    if (asking->token)
        request.header = mem_format(owner, "Authorization: Bearer %s", asking->token);
    if (!web_send(phone->web, owner, &request, out, err))
        return err_context(err, "the request to enrol");
    json_array_append_new(asking->answers, json_integer(out->status));
    return true;
}

bool account_follow(struct phone *phone, void *owner, const struct account_way *way, json_t *report,
                    struct web_reply *out, const char **token, struct err *err)
{
    struct asking asking = {.answers = json_array()};
    const char *made = NULL;
    struct web_reply reply = {0};
    json_object_set_new(report, "account", asking.answers);
    if (!discover(phone, owner, way, &asking.url, err) ||
        !machine_info(phone, owner, way, &asking.body, err) ||
        !ask(phone, owner, &asking, &reply, err))
        return false;
    if (reply.status != 401)
        return err_set(err, ERR_FORBIDDEN, "the server asked nobody to sign in: %d", reply.status);
    if (!web_view(phone, owner, way, reply.authenticate, report, &made, err))
        return false;
    asking.token = made;
    if (!ask(phone, owner, &asking, out, err))
        return false;
    json_object_set_new(report, "access_token", json_string(made));
    *token = made;
    return true;
}
