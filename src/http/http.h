/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP as the handlers see it: a request in, a reply out, routes as rows.  Knows no devices, no
 * people and no database.  Handlers run on worker threads top to bottom; only the router sends.
 */
#pragma once

#include "base/field.h"
#include "codec/uri.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD, /* never in a route: served by the GET row */
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};
extern const char *const http_method_names[]; /* "GET", ... NULL */

/* Which door a request came through: each has its own unix socket behind the edge. */
enum http_door {
    DOOR_FRONT = 1 << 0,
    DOOR_DEVICE = 1 << 1,
    DOOR_PLAIN = 1 << 2,
    DOOR_METRICS = 1 << 3,
    DOOR_GATEWAY = 1 << 4,
};

struct http_header {
    const char *name, *value;
};

struct request {
    void *owner; /* pool of this request: freed after the reply was sent */
    enum http_method method;
    enum http_door door;
    const char *path; /* decoded, "/api/v1/devices/x" */
    struct uri_query query;
    struct bytes query_raw; /* as sent, without '?': SCEP needs it */
    const struct http_header *headers;
    size_t header_count;
    struct bytes body;
    /* Of a route with ROUTE_SPOOLS, instead of body: a file without a name, at its beginning. It is
     * closed when the reply was sent. */
    int spool;
    size_t spool_size;
    struct bytes client_certificate; /* DER, from the edge's socket alone; data NULL = none */
    /* The edge's reason for refusing a certificate, "FAILED:certificate has expired": the request
     * comes without it and without its body. NULL = none was refused. */
    const char *certificate_refused;
    const char *peer;      /* address text of the client as the edge saw it */
    const char *id;        /* request id: in the log, the reply and the audit */
    int64_t now;           /* seconds UTC when the request arrived */
    const char *params[4]; /* what the {holes} of the route matched, in order */
    const struct route *route;
    void *services; /* what server/ gave to the listener for this worker (struct fleet *) */
    void *who;      /* what the steps found out: struct actor * or struct channel's device */
};

struct reply {
    int status;
    const char *type; /* content type; NULL with an empty body */
    struct bytes body;
    bool has_file; /* instead of body: see reply_file */
    int file;
    uint64_t file_size;
    struct http_header headers[12];
    size_t header_count;
};

struct route;
typedef bool http_handler(struct request *request, struct reply *reply, struct err *err);
/* A step runs before the handler: true = go on. False with *err filled = refused; false with
 * reply->status set = answered by the step. */
typedef bool http_step(struct request *request, struct reply *reply, struct err *err);

/* Answers from memory, on the thread of the sockets: may not wait, neither for a database nor for a
 * file or another process; request->services is the listener's own (listener_settings.glancing).
 * False: nothing was done and nothing is known; steps and handler run as ever. */
typedef bool http_glance(struct request *request, struct reply *reply);
#define HTTP_GLANCE_MAX 2048 /* bytes of a body: what is longer takes long to read */

/*
 * Who is refused when more comes than the workers can do: the patient first, whose device comes
 * again by itself with the same; the urgent last, whose refusal breaks off what cannot be picked
 * up where it was. Nobody overtakes anybody who waits already.
 */
enum http_urgency { HTTP_ORDINARY, HTTP_PATIENT, HTTP_URGENT };
#define HTTP_URGENCIES 3
/* Asked with the body, on the thread of the sockets, before anybody has looked who sent it: a hint
 * that decides for this request alone, and may not cost much. */
typedef enum http_urgency http_weigh(const struct request *request);

#define HTTP_STEPS_MAX 4
#define HTTP_QUERY_PAIRS 64    /* parameters of one query string */
#define HTTP_TARGET_SIZE 16384 /* bytes of path and query together */
struct route {
    enum http_method method;
    const char *path; /* "/api/v1/devices/{id}": a hole matches one segment of 1..200 bytes */
    http_handler *handler;
    http_step *const steps[HTTP_STEPS_MAX];
    unsigned doors;    /* set of http_door */
    size_t body_limit; /* bytes; 0 = no body accepted */
    /* What the OpenAPI document and the permission test read; empty outside /api/v1. */
    const char *name;       /* operationId, "device_get" */
    const char *summary;    /* one line */
    const char *permission; /* "device.read"; NULL = public or device-authenticated */
    const struct fields *takes, *gives, *asks; /* JSON body, JSON answer, query parameters */
    unsigned flags;
    /* How errors are written for this route: NULL = problem+json (RFC 9457). */
    void (*render_error)(const struct request *request, const struct err *err, struct reply *reply);
    http_glance *glance; /* tried before the steps and instead of them; NULL: none */
    http_weigh *weigh;   /* NULL: ordinary */
};
enum route_flags {
    ROUTE_GIVES_LIST = 1 << 0,  /* {"items": [...], "next": cursor} of `gives` */
    ROUTE_CREATES = 1 << 1,     /* 201 + Location */
    ROUTE_RAW = 1 << 2,         /* answer is not JSON */
    ROUTE_RAW_QUERY = 1 << 3,   /* the query is not parsed: the handler reads query_raw */
    ROUTE_SECRET_PATH = 1 << 4, /* a hole of the path is a secret: the log shows the row's path */
    ROUTE_TAIL = 1 << 5,        /* the only hole, at the end, takes the rest of the path, not
                                 * decoded; a slash in it is %2F however it was sent */
    ROUTE_SPOOLS = 1 << 6,      /* the body goes into a file as it comes: packages, images */
};
struct routes { /* one table of one area; the router is given several */
    const struct route *list;
    size_t count;
};

const char *request_header(const struct request *request, const char *name); /* or NULL */
const char *request_query(const struct request *request, const char *name);  /* or NULL */

void reply_empty(struct reply *reply, int status);
void reply_bytes(struct reply *reply, int status, const char *type, struct bytes body);
/* The first `size` bytes of a file, sent as they are read. fd belongs to the reply from here on. */
void reply_file(struct reply *reply, int status, const char *type, int fd, uint64_t size);
/* For a reply that is not sent. */
void reply_file_close(struct reply *reply);
void reply_header(struct reply *reply, const char *name, const char *value);

/* The one table kind -> HTTP status. */
int http_status_of(enum err_kind kind);
/* application/problem+json with type, title, status, detail, instance, errors[].pointer, remedy,
 * request_id (RFC 9457). */
void problem_render(const struct request *request, const struct err *err, struct reply *reply);
