/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are sorted so that a literal segment stands before a hole: the first row whose shape fits
 * is the most specific one, and rows of one shape stand together. */
#include "http/router.h"

#include "base/log.h"
#include "base/mem.h"
#include "http/problem.h"
#include "http/query.h"

#define SEGMENTS_MAX 12 /* segments of one path */
#define HOLE_SIZE 200   /* bytes that one hole may match */
#define TAIL_SIZE 4096  /* the same for ROUTE_TAIL */

struct segment { /* borrowed from the path; a hole in a row has text NULL */
    const char *text;
    size_t size;
};

struct shape {
    struct segment segments[SEGMENTS_MAX];
    size_t count;
};

struct row {
    const struct route *route;
    struct shape shape;
};

struct router {
    struct routes *tables;
    size_t table_count;
    struct row *rows;
    size_t row_count;
};

/* False when there are too many segments. "/" is one empty segment. */
static bool path_split(const char *path, struct shape *shape)
{
    shape->count = 0;
    while (*path == '/') {
        const char *start = ++path;
        path = strchrnul(path, '/');
        if (shape->count == SEGMENTS_MAX)
            return false;
        shape->segments[shape->count++] = (struct segment){start, (size_t)(path - start)};
    }
    return true;
}

static void row_fill(struct row *row, const struct route *route)
{
    row->route = route;
    if (route->path[0] != '/' || !path_split(route->path, &row->shape))
        bug("route %s has no usable path", route->path);
    size_t holes = 0;
    for (size_t i = 0; i < row->shape.count; i++) {
        struct segment *segment = &row->shape.segments[i];
        if (segment->size > 2 && segment->text[0] == '{') {
            segment->text = NULL;
            holes++;
        }
    }
    if (holes > COUNT(((struct request *)0)->params))
        bug("route %s has too many holes", route->path);
}

static int segment_order(const struct segment *a, const struct segment *b)
{
    if (!a->text || !b->text)
        return !a->text - !b->text; /* a hole comes last */
    size_t size = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->text, b->text, size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int shape_order(const struct shape *a, const struct shape *b)
{
    int order = (a->count > b->count) - (a->count < b->count);
    for (size_t i = 0; i < a->count && !order; i++)
        order = segment_order(&a->segments[i], &b->segments[i]);
    return order;
}

static int row_order(const void *left, const void *right)
{
    return shape_order(&((const struct row *)left)->shape, &((const struct row *)right)->shape);
}

static void rows_check(const struct router *router)
{
    for (size_t i = 0; i < router->row_count; i++) {
        const struct row *row = &router->rows[i];
        for (size_t k = i + 1; k < router->row_count && row_order(row, &router->rows[k]) == 0; k++)
            if (row->route->method == router->rows[k].route->method &&
                row->route->doors & router->rows[k].route->doors)
                bug("two routes for %s %s", http_method_names[row->route->method],
                    row->route->path);
    }
}

struct router *router_make(void *owner, const struct routes *tables, size_t count)
{
    struct router *router = mem_new(owner, struct router);
    router->tables = mem_array(router, struct routes, count);
    router->table_count = count;
    for (size_t i = 0; i < count; i++) {
        router->tables[i] = tables[i];
        router->row_count += tables[i].count;
    }
    router->rows = mem_array(router, struct row, router->row_count);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < tables[i].count; k++)
            row_fill(&router->rows[at++], &tables[i].list[k]);
    qsort(router->rows, router->row_count, sizeof(*router->rows), row_order);
    rows_check(router);
    return router;
}

static bool shape_fits(const struct row *of, const struct shape *path)
{
    const struct shape *row = &of->shape;
    const size_t hole_size = of->route->flags & ROUTE_TAIL ? TAIL_SIZE : HOLE_SIZE;
    if (row->count != path->count)
        return false;
    for (size_t i = 0; i < path->count; i++) {
        const struct segment *want = &row->segments[i], *have = &path->segments[i];
        if (want->text ? segment_order(want, have) != 0 : have->size == 0 || have->size > hole_size)
            return false;
    }
    return true;
}

static void params_fill(struct request *request, const struct shape *row, const struct shape *path)
{
    size_t hole = 0;
    for (size_t i = 0; i < row->count; i++)
        if (!row->segments[i].text)
            request->params[hole++] =
                mem_text_part(request->owner, path->segments[i].text, path->segments[i].size);
}

size_t router_tail(const struct router *router, const char *path)
{
    for (size_t i = 0; i < router->row_count; i++) {
        const struct route *route = router->rows[i].route;
        size_t size = strcspn(route->path, "{");
        if (route->flags & ROUTE_TAIL && strncmp(path, route->path, size) == 0)
            return size;
    }
    return 0;
}

const struct route *router_find(const struct router *router, struct request *request,
                                unsigned *allowed)
{
    struct shape path = {.count = 0};
    const struct row *first = NULL;
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    *allowed = 0;
    if (!path_split(request->path, &path))
        return NULL;
    for (size_t i = 0; i < router->row_count; i++) {
        const struct row *row = &router->rows[i];
        if (!(row->route->doors & request->door) || !shape_fits(row, &path))
            continue;
        if (first && row_order(first, row) != 0)
            break;
        first = row;
        *allowed |= 1U << row->route->method;
        if (row->route->method != method)
            continue;
        params_fill(request, &row->shape, &path);
        request->route = row->route;
        return row->route;
    }
    return NULL;
}

/* The value of Allow: HEAD goes with GET. */
static const char *allow_text(void *owner, unsigned allowed)
{
    char *text = mem_text(owner, "");
    if (allowed & 1U << HTTP_GET)
        allowed |= 1U << HTTP_HEAD;
    for (unsigned method = 0; http_method_names[method]; method++)
        if (allowed & 1U << method)
            text = mem_format(owner, "%s%s%s", text, *text ? ", " : "", http_method_names[method]);
    return text;
}

static void refuse_unknown(struct request *request, unsigned allowed, struct reply *reply)
{
    static const struct problem wrong_method = {405, "method-not-allowed", "Method not allowed"};
    struct err err;
    if (allowed) {
        (void)err_set(&err, ERR_BAD_INPUT, "this path does not take %s",
                      http_method_names[request->method]);
        problem_write(request, &wrong_method, &err, reply);
        reply_header(reply, "Allow", allow_text(request->owner, allowed));
        return;
    }
    (void)err_set(&err, ERR_NOT_FOUND, "there is nothing at this path");
    problem_render(request, &err, reply);
}

/* The path as the log may show it: some hold the secret that lets a device in. */
static const char *path_shown(const struct request *request)
{
    const struct route *route = request->route;
    return route && route->flags & ROUTE_SECRET_PATH ? route->path : request->path;
}

/* What the peer got wrong is news, not our failure. */
static void log_refusal(const struct request *request, const struct err *err)
{
    if (err->kind == ERR_INTERNAL || err->kind == ERR_UNAVAILABLE) {
        log_err("http.failed", err, "request", request->id, "path", path_shown(request), NULL);
        return;
    }
    log_event(LOG_INFO, "http.refused", "request", request->id, "method",
              http_method_names[request->method], "path", path_shown(request), "kind",
              err_kind_name(err->kind), "error", err->text, "where", err->where, NULL);
}

static void render(const struct request *request, const struct err *err, struct reply *reply)
{
    const struct reply before = *reply;
    *reply = (struct reply){0};
    log_refusal(request, err);
    if (request->route->render_error)
        request->route->render_error(request, err, reply);
    else
        problem_render(request, err, reply);
    /* what a step said beside its refusal: WWW-Authenticate */
    for (size_t i = 0; i < before.header_count && reply->header_count < COUNT(reply->headers); i++)
        reply_header(reply, before.headers[i].name, before.headers[i].value);
}

static bool query_read(struct request *request, struct err *err)
{
    if (request->route->flags & ROUTE_RAW_QUERY || request->query_raw.size == 0)
        return true;
    return uri_query_parse(request->owner, request->query_raw, HTTP_QUERY_PAIRS, &request->query,
                           err) ||
           err_context(err, "query string");
}

/* False: err is filled, unless a step has answered. */
static bool handle(struct request *request, struct reply *reply, struct err *err)
{
    const struct route *route = request->route;
    if (request->body.size > route->body_limit)
        return err_set(err, ERR_TOO_LARGE, "the body is larger than %zu bytes", route->body_limit);
    if (!query_read(request, err))
        return false;
    for (size_t i = 0; i < HTTP_STEPS_MAX && route->steps[i]; i++)
        if (!route->steps[i](request, reply, err))
            return false;
    if (!query_check(request, err)) /* after the steps: who may not ask learns nothing */
        return false;
    const struct reply steps = *reply;
    if (!route->handler(request, reply, err)) {
        reply_file_close(reply);
        *reply = steps; /* a half-made answer is none */
        return false;
    }
    return reply->status != 0 || err_set(err, ERR_INTERNAL, "%s gave no answer", route->path);
}

static void log_answer(const struct request *request, const struct reply *reply)
{
    CLEANUP(mem_free_at) char *status = mem_format(NULL, "%d", reply->status);
    log_event(LOG_DEBUG, "http.request", "request", request->id, "method",
              http_method_names[request->method], "path", path_shown(request), "status", status,
              "peer", request->peer, NULL);
}

bool router_glance(struct request *request, struct reply *reply)
{
    const struct route *route = request->route;
    if (!route->glance || request->body.size > HTTP_GLANCE_MAX || request->query_raw.size > 0)
        return false;
    *reply = (struct reply){0};
    if (!route->glance(request, reply)) {
        reply_file_close(reply);
        *reply = (struct reply){0};
        request->who = NULL;
        return false;
    }
    log_answer(request, reply);
    return true;
}

void router_run(const struct router *router, struct request *request, struct reply *reply)
{
    unsigned allowed;
    struct err err;
    *reply = (struct reply){0};
    if (!request->route && !router_find(router, request, &allowed))
        refuse_unknown(request, allowed, reply);
    else if (!handle(request, reply, &err) && reply->status == 0)
        render(request, &err, reply);
    log_answer(request, reply);
}
