/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/apns_http2.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "sim/openssl.h"

#define HEADER_MAX 4096 /* bytes of one value that we keep */
#define UID_MAX 256

struct stream {
    struct h2 *connection;
    struct stream *next; /* of those whose answer waits */
    int32_t id;
    int64_t due_ms; /* clock_monotonic_ms */
    struct push push;
    struct buffer body;
    char *answer;
    size_t answer_at;
};

struct h2 {
    SSL *ssl;
    int fd;
    nghttp2_session *session; /* NULL until the handshake is done */
    const struct h2_settings *settings;
    struct stream *waiting; /* the first is due first */
    int64_t stream_count;
    char *topic;
    bool wants_write; /* TLS waits for the socket */
};

static int h2_free(struct h2 *connection)
{
    board_gauge_add(connection->settings->board, BOARD_CONNECTIONS, -1);
    nghttp2_session_del(connection->session); /* may close streams, or forget them */
    board_gauge_add(connection->settings->board, BOARD_STREAMS, -connection->stream_count);
    SSL_free(connection->ssl);
    (void)close(connection->fd);
    return 0;
}

/* ---- answers ---- */

static ssize_t answer_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct stream *stream = source->ptr;
    size_t left = strlen(stream->answer) - stream->answer_at;
    size_t part = left < room ? left : room;
    (void)session, (void)id, (void)context;
    memcpy(out, stream->answer + stream->answer_at, part);
    stream->answer_at += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

#define HEADER(key, text)                                                                          \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(key), .value = (uint8_t *)(uintptr_t)(text),                \
        .namelen = strlen(key), .valuelen = strlen(text), .flags = NGHTTP2_NV_FLAG_NONE            \
    }

/* {"reason": ..., "timestamp": ms}; a success has no body. */
static void answer_make(struct stream *stream, const struct push_verdict *verdict)
{
    if (!verdict->reason || verdict->status == 200)
        return;
    CLEANUP(json_decref_at) json_t *body = json_pack("{s:s}", "reason", verdict->reason);
    if (verdict->status == 410)
        json_object_set_new(body, "timestamp", json_integer(verdict->timestamp));
    stream->answer = json_text(stream, body);
}

static void stream_answer(struct stream *stream)
{
    struct h2 *connection = stream->connection;
    char status[8], retry_after[24];
    char *apns_id =
        stream->push.id ? mem_text(stream, stream->push.id) : id_make_random_upper(stream);
    stream->push.body = (struct bytes){stream->body.data, stream->body.size};
    struct push_verdict verdict =
        board_push(connection->settings->board, &stream->push, connection->topic, apns_id);
    (void)snprintf(status, sizeof(status), "%d", verdict.status);
    (void)snprintf(retry_after, sizeof(retry_after), "%lld", (long long)verdict.retry_after);
    answer_make(stream, &verdict);
    nghttp2_nv headers[] = {HEADER(":status", status), HEADER("apns-id", apns_id),
                            HEADER("retry-after", retry_after)};
    size_t count = COUNT(headers) - (verdict.retry_after > 0 ? 0 : 1);
    nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = answer_read};
    if (nghttp2_submit_response(connection->session, stream->id, headers, count,
                                stream->answer ? &body : NULL) != 0)
        (void)nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_INTERNAL_ERROR);
}

/* Every answer takes equally long: the last to come is the last to go. */
static void stream_queue(struct stream *stream, int32_t id)
{
    struct h2 *connection = stream->connection;
    struct stream **at = &connection->waiting;
    while (*at)
        at = &(*at)->next;
    *at = stream;
    stream->id = id;
    stream->due_ms = clock_monotonic_ms() + connection->settings->delay_ms;
}

static void stream_unqueue(struct stream *stream)
{
    for (struct stream **at = &stream->connection->waiting; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            stream->next = NULL;
            return;
        }
}

static void answers_due(struct h2 *connection)
{
    while (connection->waiting && connection->waiting->due_ms <= clock_monotonic_ms()) {
        struct stream *stream = connection->waiting;
        stream_unqueue(stream);
        stream_answer(stream);
    }
}

/* ---- what nghttp2 tells us ---- */

static int headers_begin(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2 *connection = context;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *stream = mem_new(connection, struct stream);
    stream->connection = connection;
    connection->stream_count++;
    board_gauge_add(connection->settings->board, BOARD_STREAMS, 1);
    buffer_init(&stream->body, stream, (size_t)2 * PUSH_BODY_MAX);
    (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static struct bytes header_bytes(nghttp2_rcbuf *buffer)
{
    nghttp2_vec part = nghttp2_rcbuf_get_buf(buffer);
    return (struct bytes){part.base, part.len};
}

static int header_take(nghttp2_session *session, const nghttp2_frame *frame,
                       nghttp2_rcbuf *name_buffer, nghttp2_rcbuf *value_buffer, uint8_t flags,
                       void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct bytes name = header_bytes(name_buffer), value = header_bytes(value_buffer);
    (void)flags, (void)context;
    if (!stream || value.size > HEADER_MAX)
        return stream ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
    const struct {
        const char *name;
        const char **slot;
    } slots[] = {{":method", &stream->push.method},
                 {":path", &stream->push.path},
                 {"apns-topic", &stream->push.topic},
                 {"apns-push-type", &stream->push.push_type},
                 {"apns-expiration", &stream->push.expiration},
                 {"apns-priority", &stream->push.priority},
                 {"apns-id", &stream->push.id}};
    for (size_t i = 0; i < COUNT(slots); i++)
        if (bytes_equal(bytes_text(slots[i].name), name))
            *slots[i].slot = mem_text_part(stream, (const char *)value.data, value.size);
    return 0;
}

static int body_take(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                     size_t size, void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    (void)flags, (void)context;
    if (stream) /* too much of it makes the push too large, which is what the peer shall hear */
        buffer_add(&stream->body, (struct bytes){data, size});
    return 0;
}

static int frame_take(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    (void)context;
    if (stream && carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        stream_queue(stream, frame->hd.stream_id);
    return 0;
}

static int stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    (void)code, (void)context;
    if (!stream)
        return 0;
    stream_unqueue(stream);
    stream->connection->stream_count--;
    board_gauge_add(stream->connection->settings->board, BOARD_STREAMS, -1);
    mem_free(stream);
    return 0;
}

static ssize_t bytes_send(nghttp2_session *session, const uint8_t *data, size_t size, int flags,
                          void *context)
{
    struct h2 *connection = context;
    (void)session, (void)flags;
    int sent = SSL_write(connection->ssl, data, (int)(size > 16384 ? 16384 : size));
    if (sent > 0)
        return sent;
    int why = SSL_get_error(connection->ssl, sent);
    connection->wants_write = why == SSL_ERROR_WANT_WRITE;
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? NGHTTP2_ERR_WOULDBLOCK
                                                                     : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static bool session_open(struct h2 *connection)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)connection->settings->streams}};
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, headers_begin);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, header_take);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, body_take);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_take);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, bytes_send);
    bool done = nghttp2_session_server_new(&connection->session, callbacks, connection) == 0 &&
                nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                        COUNT(settings)) == 0;
    nghttp2_session_callbacks_del(callbacks);
    return done;
}

/* ---- the connection ---- */

struct h2 *h2_accept(void *owner, const struct h2_settings *settings, int fd)
{
    struct h2 *connection = mem_new(owner, struct h2);
    *connection = (struct h2){.fd = fd, .settings = settings, .ssl = SSL_new(settings->tls)};
    board_gauge_add(settings->board, BOARD_CONNECTIONS, 1);
    mem_destructor(connection, h2_free);
    if (!connection->ssl || SSL_set_fd(connection->ssl, fd) != 1) {
        mem_free(connection);
        return NULL;
    }
    SSL_set_accept_state(connection->ssl);
    return connection;
}

int h2_fd(const struct h2 *connection)
{
    return connection->fd;
}

int64_t h2_wait_ms(const struct h2 *connection)
{
    if (!connection->waiting)
        return -1;
    int64_t left = connection->waiting->due_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

short h2_events(const struct h2 *connection)
{
    bool write = connection->wants_write ||
                 (connection->session && nghttp2_session_want_write(connection->session));
    return (short)(write ? POLLIN | POLLOUT : POLLIN);
}

/* The topic is the UID of the subject, as in Apple's push certificates; only h2 is spoken. */
static bool peer_check(struct h2 *connection)
{
    char uid[UID_MAX] = "";
    const unsigned char *protocol = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(connection->ssl, &protocol, &size);
    X509 *peer = SSL_get0_peer_certificate(connection->ssl);
    if (!peer || size != 2 || memcmp(protocol, "h2", 2) != 0 ||
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_userId, uid, sizeof(uid)) <= 0)
        return false;
    connection->topic = mem_text(connection, uid);
    return true;
}

/* True when it goes on; the session exists once the handshake is done. */
static bool handshake_work(struct h2 *connection)
{
    int done = SSL_do_handshake(connection->ssl);
    if (done == 1)
        return peer_check(connection) && session_open(connection);
    int why = SSL_get_error(connection->ssl, done);
    connection->wants_write = why == SSL_ERROR_WANT_WRITE;
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool input_work(struct h2 *connection)
{
    uint8_t part[16384];
    int size;
    while ((size = SSL_read(connection->ssl, part, sizeof(part))) > 0)
        if (nghttp2_session_mem_recv(connection->session, part, (size_t)size) < 0)
            return false;
    int why = SSL_get_error(connection->ssl, size);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

bool h2_work(struct h2 *connection)
{
    connection->wants_write = false;
    if (!connection->session && !handshake_work(connection))
        return false;
    if (!connection->session)
        return true;
    bool open = input_work(connection);
    answers_due(connection);
    return nghttp2_session_send(connection->session) == 0 && open &&
           (nghttp2_session_want_read(connection->session) ||
            nghttp2_session_want_write(connection->session));
}

void h2_goaway(struct h2 *connection)
{
    if (!connection->session)
        return;
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    CLEANUP(json_decref_at) json_t *why = json_pack("{s:s}", "reason", "Shutdown");
    const char *text = json_text(scratch, why);
    (void)nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(connection->session),
                                NGHTTP2_NO_ERROR, (const uint8_t *)text, strlen(text));
    (void)nghttp2_session_send(connection->session);
}
