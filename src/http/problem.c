/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents (RFC 9457): an error as its reader may see it. */
#include "http/problem.h"
#include "base/mem.h"
#include "codec/json.h"

#define TOO_MANY_SECONDS "60" /* wrong attempts to sign in: one is forgiven in this time */
#define RETRY_SECONDS "5"     /* a restart of the key process or the database takes about that */

static const char *const titles[] = {
    [ERR_BAD_INPUT] = "The request is not acceptable",
    [ERR_TOO_LARGE] = "The request is too large",
    [ERR_UNAUTHENTICATED] = "Sign in first",
    [ERR_FORBIDDEN] = "Not permitted",
    [ERR_NOT_FOUND] = "Not found",
    [ERR_CONFLICT] = "Conflict with the present state",
    [ERR_PRECONDITION] = "The object is not in the state that this needs",
    [ERR_TOO_MANY] = "Too many requests",
    [ERR_UNAVAILABLE] = "Not available at the moment",
    [ERR_INTERNAL] = "Internal error",
};

/* What went wrong inside is for the log, where the request id leads to it. */
static const char *detail_of(const struct err *err)
{
    return err->kind == ERR_INTERNAL
               ? "Something failed inside the server; its log has the reason under request_id."
               : err->text;
}

/* A sentence that was cut inside a character, or that quotes a peer, may not be UTF-8. */
static json_t *string_of(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    CLEANUP(mem_free_at) char *plain = mem_text(NULL, text);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(plain);
}

static void text_put(json_t *object, const char *key, const char *text)
{
    if (text && json_object_set_new(object, key, string_of(text)) != 0)
        bug("a problem document cannot hold %s", key);
}

static json_t *place_of(const struct err *err)
{
    json_t *place = json_object(), *places = json_array();
    text_put(place, "pointer", err->where);
    text_put(place, "code", err_kind_name(err->kind));
    text_put(place, "message", err->text);
    if (json_array_append_new(places, place) != 0)
        bug("out of memory");
    return places;
}

void problem_write(const struct request *request, const struct problem *problem,
                   const struct err *err, struct reply *reply)
{
    CLEANUP(json_decref_at) json_t *document = json_object();
    CLEANUP(mem_free_at) char *type = mem_format(NULL, "urn:muster:problem:%s", problem->name);
    text_put(document, "type", type);
    text_put(document, "title", problem->title);
    if (json_object_set_new(document, "status", json_integer(problem->status)) != 0)
        bug("out of memory");
    text_put(document, "detail", detail_of(err));
    text_put(document, "instance", request->path);
    if (err->where[0] && err->kind != ERR_INTERNAL &&
        json_object_set_new(document, "errors", place_of(err)) != 0)
        bug("out of memory");
    text_put(document, "remedy", err->remedy);
    text_put(document, "request_id", request->id);
    reply_bytes(reply, problem->status, "application/problem+json",
                bytes_text(json_text(request->owner, document)));
    if (problem->status == 503)
        reply_header(reply, "Retry-After", RETRY_SECONDS);
    if (problem->status == 429)
        reply_header(reply, "Retry-After", TOO_MANY_SECONDS);
    reply_header(reply, "Cache-Control", "no-store");
}

void problem_render(const struct request *request, const struct err *err, struct reply *reply)
{
    struct problem problem = {http_status_of(err->kind), err_kind_name(err->kind),
                              titles[err->kind]};
    problem_write(request, &problem, err, reply);
}
