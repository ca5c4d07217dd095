/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated APNs: an HTTP/2 listener that asks for a push certificate, and a plain control
 * listener for devices and tests.  One thread, poll(2), loopback only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/config.h"
#include "base/text.h"
#include "sim/apns_control.h"
#include "sim/apns_http2.h"
#include "sim/listen.h"
#include "sim/openssl.h"
#include "sim/program.h"

#define CONNECTIONS_MAX 200 /* HTTP/2 */
#define POLL_MAX 4096
#define STREAMS 1000 /* at once, as Apple allows with a certificate */
#define TICK_MS 200  /* how late a wait may end */

struct apns {
    SSL_CTX *tls;
    int listener, control_listener;
    struct board *board;
    struct h2_settings settings;
    struct control *control;
    struct h2 *connections[CONNECTIONS_MAX];
    size_t connection_count;
};

static int apns_free(struct apns *apns)
{
    SSL_CTX_free(apns->tls);
    if (apns->listener >= 0)
        (void)close(apns->listener);
    if (apns->control_listener >= 0)
        (void)close(apns->control_listener);
    return 0;
}

static int h2_choose(SSL *ssl, const unsigned char **out, unsigned char *size,
                     const unsigned char *offered, unsigned offered_size, void *context)
{
    static const unsigned char wanted[] = {2, 'h', '2'};
    unsigned char *chosen = NULL;
    (void)ssl, (void)context;
    if (SSL_select_next_proto(&chosen, size, wanted, sizeof(wanted), offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* A certificate that was revoked is refused in the handshake; so is one that has expired. */
static int peer_judge(int is_good, X509_STORE_CTX *chain)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct apns *apns = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (board_accepts(apns->board))
        return is_good;
    X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REVOKED);
    return 0;
}

static bool tls_open(struct apns *apns, const char *certificate, const char *key,
                     const char *client_ca, struct err *err)
{
    apns->tls = SSL_CTX_new(TLS_server_method());
    if (!apns->tls || SSL_CTX_set_min_proto_version(apns->tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(apns->tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(apns->tls, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(apns->tls, client_ca, NULL) != 1)
        return openssl_failed(err, ERR_BAD_INPUT, "the APNs' certificates");
    SSL_CTX_set_verify(apns->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, peer_judge);
    SSL_CTX_set_app_data(apns->tls, apns);
    SSL_CTX_set_client_CA_list(apns->tls, SSL_load_client_CA_file(client_ca));
    SSL_CTX_set_session_id_context(apns->tls, (const unsigned char *)"apns", 4);
    SSL_CTX_set_mode(apns->tls,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(apns->tls, h2_choose, NULL);
    return true;
}

static void goaway_all(void *context)
{
    struct apns *apns = context;
    for (size_t i = 0; i < apns->connection_count; i++)
        h2_goaway(apns->connections[i]);
}

static void connection_accept(struct apns *apns)
{
    int fd = accept4(apns->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (apns->connection_count == CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    struct h2 *connection = h2_accept(apns, &apns->settings, fd);
    if (connection)
        apns->connections[apns->connection_count++] = connection;
}

static void control_connection_accept(struct apns *apns)
{
    int fd = accept4(apns->control_listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        control_accept(apns->control, fd);
}

static void connections_work(struct apns *apns, const struct pollfd *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < apns->connection_count; i++) {
        bool is_due = list[i].revents || h2_wait_ms(apns->connections[i]) == 0;
        if (is_due && !h2_work(apns->connections[i]))
            mem_free(apns->connections[i]);
        else
            apns->connections[kept++] = apns->connections[i];
    }
    apns->connection_count = kept;
}

static int wait_ms(const struct apns *apns)
{
    int64_t least = TICK_MS;
    for (size_t i = 0; i < apns->connection_count; i++) {
        int64_t ms = h2_wait_ms(apns->connections[i]);
        if (ms >= 0 && ms < least)
            least = ms;
    }
    return (int)least;
}

static void turn(struct apns *apns, struct pollfd *list)
{
    list[0] = (struct pollfd){.fd = apns->listener, .events = POLLIN};
    list[1] = (struct pollfd){.fd = apns->control_listener, .events = POLLIN};
    size_t count = apns->connection_count;
    for (size_t i = 0; i < count; i++)
        list[2 + i] = (struct pollfd){.fd = h2_fd(apns->connections[i]),
                                      .events = h2_events(apns->connections[i])};
    size_t clients = control_poll_fill(apns->control, list + 2 + count, POLL_MAX - 2 - count);
    if (poll(list, (nfds_t)(2 + count + clients), wait_ms(apns)) < 0)
        return;
    connections_work(apns, list + 2);
    control_poll_take(apns->control, list + 2 + count, clients);
    if (list[0].revents)
        connection_accept(apns);
    if (list[1].revents)
        control_connection_accept(apns);
}

static bool files_choose(void *owner, const struct options *options, struct options *out,
                         struct err *err)
{
    *out = *options;
    if (options->dir) {
        if (!out->cert)
            out->cert = mem_format(owner, "%s/server.pem", options->dir);
        if (!out->key)
            out->key = mem_format(owner, "%s/server.key", options->dir);
        if (!out->client_ca)
            out->client_ca = mem_format(owner, "%s/ca.pem", options->dir);
    }
    return (out->cert && out->key && out->client_ca) ||
           err_set(err, ERR_BAD_INPUT, "--dir, or --cert, --key and --client-ca are needed");
}

static bool apns_open(struct apns *apns, const struct options *options, struct err *err)
{
    struct options files;
    if (!files_choose(apns, options, &files, err) ||
        !tls_open(apns, files.cert, files.key, files.client_ca, err) ||
        !board_make(apns, options->strict_tokens, options->ledger, &apns->board, err) ||
        !loopback_listen(options->port, &apns->listener, err) ||
        !loopback_listen(options->control_port, &apns->control_listener, err))
        return false;
    apns->settings = (struct h2_settings){.tls = apns->tls,
                                          .board = apns->board,
                                          .streams = options->streams ? options->streams : STREAMS,
                                          .delay_ms = options->delay_ms};
    apns->control = control_make(apns, apns->board, goaway_all, apns);
    return true;
}

static bool ready_tell(const struct apns *apns, const struct options *options, struct err *err)
{
    int port = loopback_port(apns->listener), control_port = loopback_port(apns->control_listener);
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    char *url = mem_format(scratch, "https://localhost:%d", port);
    char *control_url = mem_format(scratch, "http://127.0.0.1:%d", control_port);
    CLEANUP(json_decref_at)
    json_t *line = json_pack("{s:i, s:i, s:s, s:s}", "port", port, "control_port", control_port,
                             "url", url, "control_url", control_url);
    line_print(line);
    return !options->ready_file ||
           file_write(options->ready_file, bytes_text(json_text(scratch, line)), 0644, err);
}

bool apns_serve(const struct options *options, json_t *result, struct err *err)
{
    CLEANUP(mem_free_at) struct apns *apns = mem_new(NULL, struct apns);
    apns->listener = apns->control_listener = -1;
    mem_destructor(apns, apns_free);
    if (!apns_open(apns, options, err))
        return false;
    stop_watch();
    if (!ready_tell(apns, options, err))
        return false;
    struct pollfd *list = mem_array(apns, struct pollfd, POLL_MAX);
    while (!stop_asked())
        turn(apns, list);
    json_object_set_new(result, "pushes", board_pushes(apns->board));
    return true;
}
