/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the bench: one request, given as a file, over and over; a thread per connection.
 *
 *   bench-load keep SOCKET FILE CONNECTIONS MILLISECONDS  kept-alive connections to a unix socket
 *   bench-load fresh PORT CERT KEY FILE THREADS COUNT     a new TLS connection for each request
 *   bench-load hold PORT CERT KEY CONNECTIONS             idle TLS connections until stdin closes
 *
 * Prints {"requests": N, "seconds": S, "failed": N}.  Sends to loopback only.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mem.h"
#include "base/text.h"

#define ANSWER_MAX 65536
#define CONNECTIONS_MAX 20000
#define STACK_SIZE (256 * 1024)

struct job { /* what all threads do */
    const char *socket_path;
    int port;
    SSL_CTX *tls;
    struct bytes request;
    int64_t deadline_ms; /* of keep */
    atomic_long left;    /* of fresh */
    atomic_long done, failed;
};

struct wire { /* one connection */
    int fd;
    SSL *ssl;
};

static void wire_close(struct wire *wire)
{
    if (wire->ssl) {
        (void)SSL_shutdown(wire->ssl);
        SSL_free(wire->ssl);
    }
    if (wire->fd >= 0)
        (void)close(wire->fd);
    *wire = (struct wire){.fd = -1};
}

static bool unix_open(const struct job *job, struct wire *wire)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", job->socket_path);
    wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return wire->fd >= 0 &&
           connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool tls_open(const struct job *job, struct wire *wire)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)job->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char name[] = "localhost"; /* OpenSSL's macro takes no constant */
    int on = 1;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (wire->fd < 0 || setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return false;
    wire->ssl = SSL_new(job->tls);
    return wire->ssl && SSL_set_fd(wire->ssl, wire->fd) == 1 &&
           SSL_set_tlsext_host_name(wire->ssl, name) == 1 && SSL_connect(wire->ssl) == 1;
}

static bool wire_write(const struct wire *wire, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t size = wire->ssl ? SSL_write(wire->ssl, bytes.data, (int)bytes.size)
                                 : write(wire->fd, bytes.data, bytes.size);
        if (size <= 0)
            return false;
        bytes.data += size;
        bytes.size -= (size_t)size;
    }
    return true;
}

static ssize_t wire_read(const struct wire *wire, char *out, size_t size)
{
    return wire->ssl ? SSL_read(wire->ssl, out, (int)size) : read(wire->fd, out, size);
}

/* An answer with a Content-Length; true for a 200 without a body: there was nothing to do. */
static bool answer_read(const struct wire *wire)
{
    char answer[ANSWER_MAX];
    size_t have = 0, want = 0;
    while (have < sizeof(answer) - 1 && (want == 0 || have < want)) {
        ssize_t size = wire_read(wire, answer + have, sizeof(answer) - 1 - have);
        if (size <= 0)
            return false;
        have += (size_t)size;
        answer[have] = '\0';
        const char *end = strstr(answer, "\r\n\r\n");
        const char *length = strcasestr(answer, "\r\ncontent-length:");
        if (want == 0 && end && length)
            want = (size_t)(end - answer) + 4 + strtoul(length + 17, NULL, 10);
    }
    bool is_empty = have >= 4 && strcmp(answer + have - 4, "\r\n\r\n") == 0;
    return have == want && is_empty && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void *keep_run(void *context)
{
    struct job *job = context;
    struct wire wire = {.fd = -1};
    bool is_open = unix_open(job, &wire);
    while (is_open && clock_monotonic_ms() < job->deadline_ms) {
        is_open = wire_write(&wire, job->request) && answer_read(&wire);
        atomic_fetch_add(is_open ? &job->done : &job->failed, 1);
    }
    wire_close(&wire);
    return NULL;
}

static void *fresh_run(void *context)
{
    struct job *job = context;
    while (atomic_fetch_sub(&job->left, 1) > 0) {
        struct wire wire = {.fd = -1};
        bool works = tls_open(job, &wire) && wire_write(&wire, job->request) && answer_read(&wire);
        atomic_fetch_add(works ? &job->done : &job->failed, 1);
        wire_close(&wire);
    }
    return NULL;
}

static int threads_run(struct job *job, size_t count, void *(*run)(void *))
{
    pthread_t threads[256];
    pthread_attr_t small;
    int64_t start = clock_monotonic_ms();
    if (count > COUNT(threads) || pthread_attr_init(&small) != 0 ||
        pthread_attr_setstacksize(&small, STACK_SIZE) != 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], &small, run, job) != 0)
            bug("no thread");
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    double seconds = (double)(clock_monotonic_ms() - start) / 1000;
    (void)pthread_attr_destroy(&small);
    return printf("{\"requests\": %ld, \"seconds\": %.3f, \"failed\": %ld}\n", job->done, seconds,
                  job->failed) < 0;
}

static int hold_run(const struct job *job, size_t count)
{
    struct wire *wires = mem_array(NULL, struct wire, count);
    size_t opened = 0;
    char byte;
    while (opened < count && tls_open(job, &wires[opened]))
        opened++;
    (void)printf("{\"holding\": %zu}\n", opened);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    for (size_t i = 0; i < opened; i++)
        wire_close(&wires[i]);
    mem_free(wires);
    return opened == count ? 0 : 1;
}

static bool tls_setup(struct job *job, char *const *words)
{
    job->port = (int)strtol(words[0], NULL, 10);
    job->tls = SSL_CTX_new(TLS_client_method());
    return job->tls && SSL_CTX_use_certificate_chain_file(job->tls, words[1]) == 1 &&
           SSL_CTX_use_PrivateKey_file(job->tls, words[2], SSL_FILETYPE_PEM) == 1;
}

static int number(const char *word, int64_t highest)
{
    struct err err;
    int64_t value = 0;
    return number_parse(bytes_text(word), 1, highest, &value, &err) ? (int)value : 0;
}

int main(int count, char **words)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct job job = {.port = 0};
    struct err err;
    const char *mode = count > 1 ? words[1] : "";
    if (strcmp(mode, "keep") == 0 && count == 6 &&
        file_read(owner, words[3], 1 << 20, &job.request, &err)) {
        job.socket_path = words[2];
        job.deadline_ms = clock_monotonic_ms() + number(words[5], 600000);
        return threads_run(&job, (size_t)number(words[4], 256), keep_run);
    }
    if (strcmp(mode, "fresh") == 0 && count == 8 && tls_setup(&job, words + 2) &&
        file_read(owner, words[5], 1 << 20, &job.request, &err)) {
        job.left = number(words[7], 1000000);
        return threads_run(&job, (size_t)number(words[6], 256), fresh_run);
    }
    if (strcmp(mode, "hold") == 0 && count == 6 && tls_setup(&job, words + 2))
        return hold_run(&job, (size_t)number(words[5], CONNECTIONS_MAX));
    return fputs("usage: see the head of tests/bench/load.c\n", stderr), 2;
}
