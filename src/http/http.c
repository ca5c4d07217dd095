/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

const char *const http_method_names[] = {
    [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH",   [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS", [HTTP_OPTIONS + 1] = NULL};

static const int statuses[] = {
    [ERR_BAD_INPUT] = 400,    [ERR_TOO_LARGE] = 413, [ERR_UNAUTHENTICATED] = 401,
    [ERR_FORBIDDEN] = 403,    [ERR_NOT_FOUND] = 404, [ERR_CONFLICT] = 409,
    [ERR_PRECONDITION] = 412, [ERR_TOO_MANY] = 429,  [ERR_UNAVAILABLE] = 503,
    [ERR_INTERNAL] = 500,
};

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (text_equal_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return NULL;
}

const char *request_query(const struct request *request, const char *name)
{
    return uri_query_get(&request->query, name);
}

void reply_file_close(struct reply *reply)
{
    if (reply->has_file)
        (void)close(reply->file);
    reply->has_file = false;
}

void reply_empty(struct reply *reply, int status)
{
    reply_bytes(reply, status, NULL, NO_BYTES);
}

void reply_file(struct reply *reply, int status, const char *type, int fd, uint64_t size)
{
    reply_bytes(reply, status, type, NO_BYTES);
    reply->has_file = true;
    reply->file = fd;
    reply->file_size = size;
}

void reply_bytes(struct reply *reply, int status, const char *type, struct bytes body)
{
    reply_file_close(reply); /* something failed behind it */
    reply->status = status;
    reply->type = type;
    reply->body = body;
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->header_count == COUNT(reply->headers))
        bug("a reply has more than %zu headers", COUNT(reply->headers));
    reply->headers[reply->header_count++] = (struct http_header){name, value};
}

int http_status_of(enum err_kind kind)
{
    return statuses[kind];
}
