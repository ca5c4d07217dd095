/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/edge_headers.h"
#include "http/problem.h"
#include "http/spool.h"
#include "http/target.h"

#define POOL_SIZE 16384         /* bytes taken at once for a request */
#define HEADERS_MAX 100         /* header lines of one request */
#define DISCARD_SIZE (1U << 20) /* bytes read past the limit before the connection is cut */

enum stage {
    STAGE_HEAD, /* nothing but the request line was seen */
    STAGE_BODY,
    STAGE_REFUSED, /* the rest of the body is read and forgotten: then `why` is told */
    STAGE_WORKER,
};

struct exchange {
    struct request request;
    struct reply reply;
    struct door *door;
    struct MHD_Connection *connection;
    const char *target;
    struct http_header *headers;
    const char *certificate, *certificate_field, *length; /* header values */
    unsigned certificates, hosts, lengths, codings;       /* how often they came */
    bool has_nul, has_too_many, must_close;
    enum stage stage;
    struct err why;
    struct buffer body;
    size_t body_limit, discarded;
};

void *exchange_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct door *door = context;
    void *pool = mem_pool(NULL, POOL_SIZE);
    struct exchange *exchange = mem_new(pool, struct exchange);
    exchange->door = door;
    exchange->connection = connection;
    exchange->target = mem_text(pool, uri);
    exchange->headers = mem_array(pool, struct http_header, HEADERS_MAX);
    exchange->request = (struct request){.owner = pool,
                                         .door = door->settings.door,
                                         .headers = exchange->headers,
                                         .spool = -1,
                                         .now = clock_now()};
    atomic_fetch_add(door->active, 1);
    return exchange;
}

/* A file that was sent went with its response. */
static void files_close(struct exchange *exchange)
{
    if (exchange->request.spool >= 0)
        (void)close(exchange->request.spool);
    reply_file_close(&exchange->reply);
}

void exchange_end(void *context, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode why)
{
    struct door *door = context;
    (void)connection;
    (void)why;
    if (!*exchange)
        return;
    files_close(*exchange);
    mem_free(((struct exchange *)*exchange)->request.owner);
    *exchange = NULL;
    atomic_fetch_sub(door->active, 1);
}

/* ---- the head ---- */

/* Headers that say who sent this: from the edge they fill the request, from others they count
 * for nothing. */
static void reserved_take(struct exchange *exchange, const char *name, const char *value)
{
    struct request *request = &exchange->request;
    if (!exchange->door->settings.trusts_edge)
        return;
    if (text_equal_nocase(name, "X-Muster-Client-Cert")) {
        exchange->certificate = mem_text(request->owner, value);
        exchange->certificates++;
    } else if (text_equal_nocase(name, "Client-Cert")) {
        exchange->certificate_field = mem_text(request->owner, value);
        exchange->certificates++;
    } else if (text_equal_nocase(name, "X-Muster-Client-Refused")) {
        request->certificate_refused = mem_text(request->owner, value);
    } else if (text_equal_nocase(name, "X-Muster-Peer") && edge_address_valid(value)) {
        request->peer = mem_text(request->owner, value);
    } else if (text_equal_nocase(name, "X-Request-Id") && edge_id_valid(value)) {
        request->id = mem_text(request->owner, value);
    }
}

static void framing_note(struct exchange *exchange, const char *name, const char *value)
{
    if (text_equal_nocase(name, "Content-Length")) {
        exchange->length = value;
        exchange->lengths++;
    } else if (text_equal_nocase(name, "Transfer-Encoding")) {
        exchange->codings++;
    } else if (text_equal_nocase(name, "Host")) {
        exchange->hosts++;
    }
}

static enum MHD_Result header_take(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct exchange *exchange = context;
    struct request *request = &exchange->request;
    (void)kind;
    value = value ? value : "";
    if (strlen(name) != name_size || strlen(value) != value_size)
        exchange->has_nul = true;
    framing_note(exchange, name, value);
    if (edge_header_reserved(name)) {
        reserved_take(exchange, name, value);
        return MHD_YES;
    }
    if (request->header_count == HEADERS_MAX) {
        exchange->has_too_many = true;
        return MHD_NO;
    }
    exchange->headers[request->header_count++] =
        (struct http_header){mem_text(request->owner, name), mem_text(request->owner, value)};
    return MHD_YES;
}

/* The edge has framed the request; this holds for loopback ports and an edge that does not. */
static bool framing_check(const struct exchange *exchange, struct err *err)
{
    if (exchange->has_nul)
        return err_set(err, ERR_BAD_INPUT, "a header holds a NUL");
    if (exchange->lengths + exchange->codings > 1)
        return err_set(err, ERR_BAD_INPUT, "the length of the body is given twice");
    if (exchange->hosts > 1)
        return err_set(err, ERR_BAD_INPUT, "the host is given twice");
    return true;
}

static bool certificate_take(struct exchange *exchange, struct err *err)
{
    struct request *request = &exchange->request;
    struct bytes *out = &request->client_certificate;
    if (exchange->certificates > 1)
        return err_set(err, ERR_BAD_INPUT, "the edge sent two client certificates");
    if (exchange->certificate)
        return edge_certificate_escaped(request->owner, exchange->certificate, out, err);
    if (exchange->certificate_field)
        return edge_certificate_field(request->owner, exchange->certificate_field, out, err);
    return true;
}

/* ---- replies ---- */

static void reply_headers_add(struct MHD_Response *response, const struct exchange *exchange)
{
    const struct reply *reply = &exchange->reply;
    bool fine = MHD_add_response_header(response, "X-Request-Id", exchange->request.id);
    if (reply->type)
        fine &= MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    if (exchange->must_close || atomic_load(exchange->door->is_closing))
        fine &= MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    for (size_t i = 0; i < reply->header_count; i++)
        fine &= MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (!fine)
        log_event(LOG_ERROR, "http.bad-reply-header", "request", exchange->request.id, NULL);
}

/* A body stays in the exchange's pool, which goes after the last byte was sent; a file is the
 * response's. */
static struct MHD_Response *response_make(struct reply *reply)
{
    if (!reply->has_file)
        return MHD_create_response_from_buffer(
            reply->body.size, (void *)(uintptr_t)reply->body.data, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_fd64(reply->file_size, reply->file);
    reply->has_file = !response;
    return response;
}

static enum MHD_Result reply_send(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    struct MHD_Response *response = response_make(reply);
    if (!response)
        return MHD_NO;
    reply_headers_add(response, exchange);
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* A body may still be on its way: what follows on this connection cannot be trusted. */
static enum MHD_Result refuse(struct exchange *exchange, const struct err *err)
{
    exchange->must_close = true;
    problem_render(&exchange->request, err, &exchange->reply);
    return reply_send(exchange);
}

static enum MHD_Result refuse_as(struct exchange *exchange, int status, const char *name,
                                 const char *title)
{
    struct problem problem = {status, name, title};
    struct err err;
    (void)err_set(&err, ERR_BAD_INPUT, "%s", title);
    exchange->must_close = true;
    problem_write(&exchange->request, &problem, &err, &exchange->reply);
    return reply_send(exchange);
}

/* ---- the steps of a request ---- */

static bool request_make(struct exchange *exchange, struct err *err)
{
    struct request *request = &exchange->request;
    if (!request->id)
        request->id = id_make(request->owner);
    if (!request->peer)
        request->peer = exchange->door->settings.path ? "unix" : "127.0.0.1";
    return framing_check(exchange, err) && certificate_take(exchange, err) &&
           target_parse(exchange->door->router, request, exchange->target, err);
}

static bool length_check(const struct exchange *exchange, struct err *err)
{
    int64_t length = 0;
    if (!exchange->length)
        return true;
    if (!number_parse(bytes_text(exchange->length), 0, INT64_MAX, &length, err))
        return err_context(err, "Content-Length");
    if ((uint64_t)length > exchange->body_limit)
        return err_set(err, ERR_TOO_LARGE, "the body is larger than %zu bytes",
                       exchange->body_limit);
    return true;
}

/* The route is known before the body: it says how much we read. */
static enum MHD_Result head_read(struct exchange *exchange, const char *method)
{
    struct request *request = &exchange->request;
    struct err err;
    unsigned allowed;
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, header_take, exchange);
    bool made = request_make(exchange, &err);
    int known = name_find(http_method_names, method);
    if (exchange->has_too_many)
        return refuse_as(exchange, 431, "too-many-headers", "Too many header lines");
    if (!made)
        return refuse(exchange, &err);
    if (known < 0)
        return refuse_as(exchange, 501, "unknown-method", "The method is unknown here");
    request->method = (enum http_method)known;
    if (!router_find(exchange->door->router, request, &allowed)) {
        exchange->must_close = true;
        router_run(exchange->door->router, request, &exchange->reply);
        return reply_send(exchange);
    }
    exchange->body_limit = request->route->body_limit;
    if (!length_check(exchange, &err))
        return refuse(exchange, &err);
    buffer_init(&exchange->body, request->owner, exchange->body_limit);
    if ((request->route->flags & ROUTE_SPOOLS) != 0 &&
        !spool_open(exchange->door->spool_directory, &request->spool, &err))
        return refuse(exchange, &err);
    exchange->stage = STAGE_BODY;
    return MHD_YES;
}

static bool body_keep(struct exchange *exchange, struct bytes part, struct err *err)
{
    struct request *request = &exchange->request;
    if (request->spool < 0)
        buffer_add(&exchange->body, part);
    bool fits = request->spool < 0 ? !exchange->body.failed
                                   : part.size <= exchange->body_limit - request->spool_size;
    if (!fits)
        return err_set(err, ERR_TOO_LARGE, "the body is larger than %zu bytes",
                       exchange->body_limit);
    if (request->spool < 0)
        return true;
    request->spool_size += part.size;
    return spool_add(request->spool, part, err);
}

static enum MHD_Result body_read(struct exchange *exchange, const char *data, size_t *size)
{
    if (!body_keep(exchange, (struct bytes){(const uint8_t *)data, *size}, &exchange->why)) {
        exchange->stage = STAGE_REFUSED;
        mem_free(exchange->body.data);
        exchange->body.data = NULL;
    }
    *size = 0;
    return MHD_YES;
}

/* libmicrohttpd takes no reply in the middle of a chunked body, so its end is awaited; an endless
 * one is cut. */
static enum MHD_Result body_skip(struct exchange *exchange, size_t *size)
{
    exchange->discarded += *size;
    *size = 0;
    return exchange->discarded <= DISCARD_SIZE ? MHD_YES : MHD_NO;
}

/* What memory answers costs no change of threads. */
static bool glance(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    if (!exchange->door->glancing || request->spool >= 0)
        return false;
    request->services = exchange->door->glancing;
    bool answered = router_glance(request, &exchange->reply);
    request->services = NULL;
    return answered;
}

/* How many quarters of the queue may be taken before such a request is refused. */
static const unsigned shares[HTTP_URGENCIES] = {
    [HTTP_PATIENT] = 2, [HTTP_ORDINARY] = 3, [HTTP_URGENT] = 4};

static bool place_reserve(const struct exchange *exchange)
{
    const struct door *door = exchange->door;
    http_weigh *weigh = exchange->request.route->weigh;
    enum http_urgency urgency = weigh ? weigh(&exchange->request) : HTTP_ORDINARY;
    bool reserved = workers_reserve(door->workers, shares[urgency]);
    if (!reserved && door->refused)
        door->refused(door->context, urgency);
    return reserved;
}

static enum MHD_Result hand_over(struct exchange *exchange)
{
    struct err err;
    if (exchange->stage == STAGE_REFUSED)
        return refuse(exchange, &exchange->why);
    if (exchange->request.spool >= 0 && lseek(exchange->request.spool, 0, SEEK_SET) != 0)
        bug("a file without a name cannot be wound back");
    exchange->request.body = (struct bytes){exchange->body.data, exchange->body.size};
    if (glance(exchange))
        return reply_send(exchange);
    if (!place_reserve(exchange)) {
        (void)err_set(&err, ERR_UNAVAILABLE, "the server has too much to do; try again later");
        return refuse(exchange, &err);
    }
    exchange->stage = STAGE_WORKER;
    MHD_suspend_connection(exchange->connection);
    workers_add(exchange->door->workers, exchange);
    return MHD_YES;
}

/* Marked by the listener when it was accepted. */
static bool is_stranger(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return !info || info->socket_context;
}

/* The parameters are libmicrohttpd's. */
// NOLINTNEXTLINE(readability-function-size)
enum MHD_Result exchange_go_on(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **exchange_at)
{
    struct exchange *exchange = *exchange_at;
    (void)context;
    (void)url;
    (void)version;
    switch (exchange->stage) {
    case STAGE_HEAD: return is_stranger(connection) ? MHD_NO : head_read(exchange, method);
    case STAGE_BODY: return *size ? body_read(exchange, data, size) : hand_over(exchange);
    case STAGE_REFUSED: return *size ? body_skip(exchange, size) : hand_over(exchange);
    case STAGE_WORKER: return reply_send(exchange);
    }
    return MHD_NO;
}

void exchange_run(void *services, void *item)
{
    struct exchange *exchange = item;
    exchange->request.services = services;
    router_run(exchange->door->router, &exchange->request, &exchange->reply);
    MHD_resume_connection(exchange->connection);
}

void exchange_drop(void *item)
{
    struct exchange *exchange = item;
    struct err err;
    (void)err_set(&err, ERR_UNAVAILABLE, "the server is stopping; try again in a moment");
    problem_render(&exchange->request, &err, &exchange->reply);
    MHD_resume_connection(exchange->connection);
}
