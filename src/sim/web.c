/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/web.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim/web_raw.h"

#define REDIRECTS_MAX 3
#define CONNECT_SECONDS 10L
#define BACK_OFF_FIRST_MS 50
#define BACK_OFF_LAST_MS 1000

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

struct web {
    CURL *curl;
    struct web_options options;
    EVP_PKEY *key;
    X509 *certificate;
    const struct certificates *chain;
    char failure[CURL_ERROR_SIZE];
};

static int web_close(struct web *web)
{
    curl_easy_cleanup(web->curl);
    EVP_PKEY_free(web->key);
    X509_free(web->certificate);
    return 0;
}

static CURLcode identity_install(CURL *curl, void *ssl_context, void *context)
{
    (void)curl;
    struct web *web = context;
    SSL_CTX *ssl = ssl_context;
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    if (web->options.system_roots)
        SSL_CTX_set_default_verify_paths(ssl);
    for (size_t i = 0; i < certificates_count(web->options.roots); i++)
        X509_STORE_add_cert(store, certificates_get(web->options.roots, i));
    if (!web->certificate)
        return CURLE_OK;
    if (SSL_CTX_use_certificate(ssl, web->certificate) != 1 ||
        SSL_CTX_use_PrivateKey(ssl, web->key) != 1)
        return CURLE_SSL_CERTPROBLEM;
    for (size_t i = 0; i < certificates_count(web->chain); i++)
        if (!SSL_CTX_add1_chain_cert(ssl, certificates_get(web->chain, i)))
            return CURLE_SSL_CERTPROBLEM;
    return CURLE_OK;
}

bool web_open(void *owner, const struct web_options *options, struct web **out, struct err *err)
{
    CLEANUP(mem_free_at) struct web *web = mem_new(NULL, struct web);
    web->options = *options;
    web->curl = curl_easy_init();
    if (!web->curl)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    mem_destructor(web, web_close);
    *out = mem_give(owner, &web);
    return true;
}

void web_identity_set(struct web *web, EVP_PKEY *key, X509 *certificate,
                      const struct certificates *chain)
{
    EVP_PKEY_free(web->key);
    X509_free(web->certificate);
    if (key)
        EVP_PKEY_up_ref(key);
    if (certificate)
        X509_up_ref(certificate);
    web->key = key;
    web->certificate = certificate;
    web->chain = chain;
    curl_easy_cleanup(web->curl); /* the old connection carries the old identity */
    web->curl = mem_must(curl_easy_init());
}

struct upload {
    struct bytes body;
    size_t at;
};

static size_t body_send(char *buffer, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t part = size * count, left = upload->body.size - upload->at;
    if (part > left)
        part = left;
    if (part > 0)
        memcpy(buffer, upload->body.data + upload->at, part);
    upload->at += part;
    return part;
}

static int body_rewind(void *context, curl_off_t offset, int origin)
{
    struct upload *upload = context;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > upload->body.size)
        return CURL_SEEKFUNC_FAIL;
    upload->at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t body_receive(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    buffer_add(body, (struct bytes){(const uint8_t *)data, size * count});
    return body->failed ? 0 : size * count;
}

static void options_set(struct web *web, const struct web_request *request)
{
    CURL *curl = web->curl;
    long seconds = web->options.timeout_seconds ? web->options.timeout_seconds : 30;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->plain_allowed ? "https,http" : "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, identity_install);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, web);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, web->options.fresh_connections ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, web->options.fresh_connections ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, web->options.fresh_connections ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, web->failure);
}

static struct curl_slist *headers_make(const struct web_request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    CLEANUP(mem_free_at) char *type = NULL;
    if (request->content_type)
        type = mem_format(NULL, "Content-Type: %s", request->content_type);
    list = curl_slist_append(list, type ? type : "Content-Type:");
    if (request->header)
        list = curl_slist_append(list, request->header);
    return mem_must(list);
}

static void method_set(CURL *curl, const struct web_request *request, struct upload *upload)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    if (text_equal(request->method, "GET"))
        return;
    bool put = text_equal(request->method, "PUT");
    curl_easy_setopt(curl, put ? CURLOPT_UPLOAD : CURLOPT_POST, 1L);
    curl_easy_setopt(curl, put ? CURLOPT_INFILESIZE_LARGE : CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->body.size);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, body_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, body_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, upload);
}

static const char *header_text(CURL *curl, void *owner, const char *name)
{
    struct curl_header *header = NULL;
    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? mem_text(owner, header->value)
               : NULL;
}

static void reply_read(CURL *curl, void *owner, struct web_reply *out)
{
    long status = 0;
    const char *type = NULL, *location = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
    out->authenticate = header_text(curl, owner, "WWW-Authenticate");
    out->cookie = header_text(curl, owner, "Set-Cookie");
    /* an absolute one as it stands: libcurl would write a path into it */
    const char *raw = header_text(curl, owner, "Location");
    bool is_absolute = raw && strstr(raw, "://");
    out->location = is_absolute || !location ? raw : mem_text(owner, location);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &out->seconds);
    out->status = (int)status;
    out->content_type = type ? mem_text(owner, type) : NULL;
}

static bool send_once(struct web *web, void *owner, const struct web_request *request,
                      struct web_reply *out, struct err *err)
{
    struct buffer body;
    buffer_init(&body, owner, WEB_BODY_MAX);
    struct upload upload = {.body = request->body};
    CLEANUP(curl_slist_free_all_at) struct curl_slist *headers = headers_make(request);
    options_set(web, request);
    method_set(web->curl, request, &upload);
    curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(web->curl, CURLOPT_WRITEFUNCTION, body_receive);
    curl_easy_setopt(web->curl, CURLOPT_WRITEDATA, &body);
    web->failure[0] = '\0';
    CURLcode code = curl_easy_perform(web->curl);
    if (code != CURLE_OK)
        return err_set(err, code == CURLE_UNSUPPORTED_PROTOCOL ? ERR_BAD_INPUT : ERR_UNAVAILABLE,
                       "%s: %s", request->url,
                       web->failure[0] ? web->failure : curl_easy_strerror(code));
    struct web_reply reply = {0};
    reply_read(web->curl, owner, &reply);
    if (!buffer_done(&body, &reply.body, err))
        return false;
    *out = reply;
    return true;
}

static bool same_host(const char *a, const char *b)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CLEANUP(curl_url_cleanup_at) CURLU *one = curl_url(), *two = curl_url();
    if (curl_url_set(one, CURLUPART_URL, a, 0) || curl_url_set(two, CURLUPART_URL, b, 0))
        return false;
    for (size_t i = 0; i < COUNT(parts); i++) {
        char *x = NULL, *y = NULL;
        bool equal = !curl_url_get(one, parts[i], &x, CURLU_DEFAULT_PORT) &&
                     !curl_url_get(two, parts[i], &y, CURLU_DEFAULT_PORT) && text_equal(x, y);
        curl_free(x);
        curl_free(y);
        if (!equal)
            return false;
    }
    return true;
}

static bool send_following(struct web *web, void *owner, const struct web_request *request,
                           struct web_reply *out, struct err *err)
{
    struct web_request here = *request;
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        const char *next = NULL;
        if (!send_once(web, owner, &here, out, err))
            return false;
        curl_easy_getinfo(web->curl, CURLINFO_REDIRECT_URL, &next);
        if (!next || here.stays)
            return true;
        if (!same_host(here.url, next))
            return err_set(err, ERR_FORBIDDEN, "%s redirects to another host", here.url);
        here.url = mem_text(owner, next);
    }
    return err_set(err, ERR_FORBIDDEN, "%s redirects too often", request->url);
}

static bool send_without_identity(struct web *web, void *owner, const struct web_request *request,
                                  struct web_reply *out, struct err *err)
{
    CLEANUP(mem_free_at) struct web *other = NULL;
    struct web_request plain = *request;
    plain.anonymous = false;
    return web_open(NULL, &web->options, &other, err) && web_send(other, owner, &plain, out, err);
}

static void wait_ms(int64_t milliseconds)
{
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (milliseconds % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static bool worth_another_try(bool answered, int status, const struct err *err)
{
    return answered ? status == 502 || status == 503 || status == 504
                    : err->kind == ERR_UNAVAILABLE;
}

bool web_send(struct web *web, void *owner, const struct web_request *request,
              struct web_reply *out, struct err *err)
{
    if (request->anonymous)
        return send_without_identity(web, owner, request, out, err);
    int64_t until = clock_monotonic_ms() + (int64_t)web->options.patience_seconds * 1000;
    for (int64_t pause = BACK_OFF_FIRST_MS;; pause *= 2) {
        struct web_reply reply = {0};
        struct err failure = {0};
        bool answered = send_following(web, owner, request, &reply, &failure);
        if (clock_monotonic_ms() < until && worth_another_try(answered, reply.status, &failure)) {
            wait_ms(pause < BACK_OFF_LAST_MS ? pause : BACK_OFF_LAST_MS);
            continue;
        }
        if (answered)
            *out = reply;
        else
            *err = failure;
        return answered;
    }
}

bool web_send_rudely(struct web *web, void *owner, const struct web_request *request,
                     const struct web_pace *pace, struct web_reply *out, struct err *err)
{
    CLEANUP(curl_url_cleanup_at) CURLU *url = curl_url();
    char *host = NULL, *path = NULL, *query = NULL;
    if (curl_url_set(url, CURLUPART_URL, request->url, 0) ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) || curl_url_get(url, CURLUPART_PATH, &path, 0))
        return err_set(err, ERR_BAD_INPUT, "'%s' is not a URL", request->url);
    (void)curl_url_get(url, CURLUPART_QUERY, &query, 0);
    char *head =
        mem_format(owner,
                   "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   request->method, path, query ? "?" : "", query ? query : "", host,
                   request->content_type ? request->content_type : "text/xml", request->body.size);
    curl_free(host);
    curl_free(path);
    curl_free(query);
    options_set(web, request);
    curl_easy_setopt(web->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(web->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(web->curl, CURLOPT_FRESH_CONNECT, 1L);
    if (curl_easy_perform(web->curl) != CURLE_OK)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", request->url, web->failure);
    *out = (struct web_reply){.status = raw_exchange(web->curl, head, request->body, pace)};
    curl_easy_cleanup(web->curl); /* closes the connection at once */
    web->curl = mem_must(curl_easy_init());
    return true;
}
