/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/service_http.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"
#include "sim/listen.h"
#include "sim/openssl.h"

#define HEAD_MAX 16384
#define REQUEST_MAX ((size_t)8 << 20) /* bytes */
#define HEADERS_MAX 40
#define PATIENCE_SECONDS 5 /* with one peer */

struct https {
    SSL_CTX *tls;
    int listener;
};

static int https_free(struct https *https)
{
    SSL_CTX_free(https->tls);
    if (https->listener >= 0)
        (void)close(https->listener);
    return 0;
}

bool https_open(void *owner, const struct https_settings *settings, struct https **out,
                struct err *err)
{
    CLEANUP(mem_free_at) struct https *https = mem_new(NULL, struct https);
    https->listener = -1;
    mem_destructor(https, https_free);
    https->tls = SSL_CTX_new(TLS_server_method());
    if (!https->tls || SSL_CTX_set_min_proto_version(https->tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(https->tls, settings->certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(https->tls, settings->key, SSL_FILETYPE_PEM) != 1)
        return openssl_failed(err, ERR_BAD_INPUT, "the service's certificate");
    if (!loopback_listen(settings->port, &https->listener, err))
        return false;
    *out = mem_give(owner, &https);
    return true;
}

int https_port(const struct https *https)
{
    return loopback_port(https->listener);
}

const char *incoming_header(const struct incoming *in, const char *name)
{
    for (size_t i = 0; i < in->header_count; i++)
        if (text_equal_nocase(in->headers[i].name, name))
            return in->headers[i].value;
    return NULL;
}

/* ---- one request ---- */

static bool target_parse(struct incoming *in, char *target)
{
    struct err ignored;
    char *question = strchr(target, '?');
    if (question)
        *question++ = '\0';
    in->path = target;
    return !question || uri_query_parse(in->owner, bytes_text(question), 20, &in->query, &ignored);
}

/* False: not a head that we read. *size: of the body. */
static bool head_parse(struct incoming *in, char *head, int64_t *size)
{
    char *rest = head, *line = strsep(&rest, "\r");
    struct err ignored;
    in->method = strsep(&line, " ");
    char *target = strsep(&line, " ");
    in->headers = mem_array(in->owner, struct uri_pair, HEADERS_MAX);
    *size = 0;
    if (!target || !line || !target_parse(in, target))
        return false;
    for (char *header; (header = strsep(&rest, "\r")) != NULL;) {
        header += *header == '\n' ? 1 : 0;
        char *value = strchr(header, ':');
        if (!value || in->header_count == HEADERS_MAX)
            return false;
        *value++ = '\0';
        in->headers[in->header_count++] =
            (struct uri_pair){.name = header, .value = value + strspn(value, " ")};
    }
    const char *told = incoming_header(in, "Content-Length");
    return !told || number_parse(bytes_text(told), 0, REQUEST_MAX, size, &ignored);
}

static bool request_read(SSL *ssl, struct incoming *in)
{
    struct buffer buffer;
    const char *end = NULL;
    int64_t size = 0;
    size_t head_size = 0;
    buffer_init(&buffer, in->owner, REQUEST_MAX + HEAD_MAX);
    for (;;) {
        uint8_t part[16384];
        int got = SSL_read(ssl, part, sizeof(part));
        if (got <= 0)
            return false;
        buffer_add(&buffer, (struct bytes){part, (size_t)got});
        if (!end && (end = strstr(buffer_string(&buffer), "\r\n\r\n"))) {
            head_size = (size_t)(end - buffer_string(&buffer)) + 4;
            char *head = mem_text_part(in->owner, buffer_string(&buffer), head_size - 4);
            if (!head_parse(in, head, &size))
                return false;
        }
        if (buffer.failed || (!end && buffer.size > HEAD_MAX))
            return false;
        if (end && buffer.size >= head_size + (size_t)size)
            break;
    }
    in->body = (struct bytes){buffer.data + head_size, (size_t)size};
    return true;
}

static void answer_write(SSL *ssl, void *owner, const struct outgoing *out)
{
    struct buffer text;
    buffer_init(&text, owner, HEAD_MAX + out->body.size);
    buffer_format(&text,
                  "HTTP/1.1 %d Simulated\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                  "Connection: close\r\n%s%s\r\n",
                  out->status, out->type ? out->type : "application/json;charset=UTF8",
                  out->body.size, out->header ? out->header : "", out->header ? "\r\n" : "");
    buffer_add(&text, out->body);
    for (size_t at = 0; at < text.size;) {
        int sent = SSL_write(ssl, text.data + at, (int)(text.size - at));
        if (sent <= 0)
            return;
        at += (size_t)sent;
    }
}

static void connection_serve(SSL *ssl, incoming_handle *handle, void *context)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct incoming in = {.owner = owner};
    struct outgoing out = {.status = 400};
    if (SSL_accept(ssl) != 1)
        return;
    if (request_read(ssl, &in))
        handle(context, &in, &out);
    answer_write(ssl, owner, &out);
    (void)SSL_shutdown(ssl);
}

void https_turn(struct https *https, int wait_ms, incoming_handle *handle, void *context)
{
    struct pollfd poller = {.fd = https->listener, .events = POLLIN};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (poll(&poller, 1, wait_ms) <= 0)
        return;
    int fd = accept4(https->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    SSL *ssl = SSL_new(https->tls);
    if (ssl && SSL_set_fd(ssl, fd) == 1)
        connection_serve(ssl, handle, context);
    SSL_free(ssl);
    ERR_clear_error();
    (void)close(fd);
}
