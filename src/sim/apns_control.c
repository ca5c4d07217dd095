/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/apns_control.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/uri.h"

#define HEAD_MAX 8192
#define REQUEST_MAX ((size_t)8 << 20) /* head and token list */
#define WAIT_SECONDS_MAX 600

struct client {
    struct control *control;
    struct client *next;
    int fd;
    struct buffer in;
    char *method, *path; /* NULL until the head has arrived */
    struct uri_query query;
    struct bytes body;
    int64_t wait_until; /* clock_monotonic_ms; 0: does not wait */
    bool done;
};

struct control {
    struct board *board;
    struct client *clients;
    void (*goaway)(void *context);
    void *context;
};

static int client_free(struct client *client)
{
    (void)close(client->fd);
    return 0;
}

struct control *control_make(void *owner, struct board *board, void (*goaway)(void *context),
                             void *context)
{
    struct control *control = mem_new(owner, struct control);
    *control = (struct control){.board = board, .goaway = goaway, .context = context};
    return control;
}

void control_accept(struct control *control, int fd)
{
    struct client *client = mem_new(control, struct client);
    *client = (struct client){.control = control, .next = control->clients, .fd = fd};
    buffer_init(&client->in, client, REQUEST_MAX);
    mem_destructor(client, client_free);
    control->clients = client;
}

static void answer_send(struct client *client, int status, const json_t *body)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    char *text = json_text(scratch, body);
    char *whole = mem_format(scratch,
                             "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                             status, status == 200 ? "OK" : "Error", strlen(text), text);
    size_t size = strlen(whole);
    for (size_t at = 0; at < size;) {
        ssize_t sent = write(client->fd, whole + at, size - at);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    client->done = true;
}

static void refusal_send(struct client *client, int status, const char *why)
{
    CLEANUP(json_decref_at) json_t *body = json_pack("{s:s}", "error", why);
    answer_send(client, status, body);
}

static void fine_send(struct client *client)
{
    CLEANUP(json_decref_at) json_t *body = json_pack("{s:b}", "ok", 1);
    answer_send(client, 200, body);
}

static int64_t number_get(const struct client *client, const char *name, int64_t otherwise)
{
    const char *text = uri_query_get(&client->query, name);
    int64_t number = otherwise;
    struct err ignored; /* a bad number counts as absent */
    if (text && !number_parse(bytes_text(text), 0, INT64_MAX, &number, &ignored))
        return otherwise;
    return number;
}

static void register_take(struct client *client)
{
    const char *token = uri_query_get(&client->query, "token");
    struct err err = {0};
    if (!token || !board_register(client->control->board, token,
                                  uri_query_get(&client->query, "topic"), &err))
        refusal_send(client, 400, token ? err.text : "token is missing");
    else
        fine_send(client);
}

static void script_take(struct client *client)
{
    const char *reason = uri_query_get(&client->query, "reason");
    const char *token = uri_query_get(&client->query, "token");
    struct board_script script = {
        .token = token ? mem_text(client, token) : NULL,
        .reason = mem_text(client, reason ? reason : "InternalServerError"),
        .status = number_get(client, "status", 500),
        .timestamp = number_get(client, "timestamp", clock_now() * 1000),
        .retry_after = number_get(client, "retry_after", 0),
        .times = number_get(client, "times", 1),
    };
    board_script_add(client->control->board, &script);
    fine_send(client);
}

static void goaway_take(struct client *client)
{
    client->control->goaway(client->control->context);
    fine_send(client);
}

static void certificates_take(struct client *client)
{
    board_accept(client->control->board, number_get(client, "accept", 1) != 0);
    goaway_take(client);
}

static void count_take(struct client *client)
{
    CLEANUP(json_decref_at) json_t *body = board_count(client->control->board);
    answer_send(client, 200, body);
}

static void pushes_take(struct client *client)
{
    CLEANUP(json_decref_at)
    json_t *body = json_pack("{s:o}", "pushes", board_pushes(client->control->board));
    answer_send(client, 200, body);
}

/* The tokens of the list that were pushed; taken off the board. */
static json_t *pushed_tokens(struct client *client)
{
    CLEANUP(mem_free_at) char *text = bytes_to_text(NULL, client->body);
    json_t *list = json_array();
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (*line && board_take(client->control->board, line))
            json_array_append_new(list, json_string(line));
    return list;
}

static void wait_look(struct client *client)
{
    CLEANUP(json_decref_at) json_t *body = json_pack("{s:o}", "tokens", pushed_tokens(client));
    if (json_array_size(json_object_get(body, "tokens")) > 0 ||
        clock_monotonic_ms() >= client->wait_until)
        answer_send(client, 200, body);
}

static void wait_take(struct client *client)
{
    int64_t seconds = number_get(client, "seconds", 20);
    if (seconds > WAIT_SECONDS_MAX)
        seconds = WAIT_SECONDS_MAX;
    client->wait_until = clock_monotonic_ms() + seconds * 1000;
    wait_look(client);
}

static void request_route(struct client *client)
{
    static const struct {
        const char *method, *path;
        void (*take)(struct client *client);
    } routes[] = {{"POST", "/sim/register", register_take},
                  {"POST", "/sim/wait", wait_take},
                  {"POST", "/sim/answer", script_take},
                  {"POST", "/sim/goaway", goaway_take},
                  {"POST", "/sim/certificates", certificates_take},
                  {"GET", "/sim/count", count_take},
                  {"GET", "/sim/pushes", pushes_take}};
    for (size_t i = 0; i < COUNT(routes); i++)
        if (text_equal(routes[i].method, client->method) &&
            text_equal(routes[i].path, client->path)) {
            routes[i].take(client);
            return;
        }
    refusal_send(client, 404, "no such path");
}

/* The declared size of the body, or -1 when the head is not one we read. */
static int64_t head_parse(struct client *client, char *head)
{
    int64_t size = 0;
    struct err err = {0};
    char *rest = head, *line = strsep(&rest, "\r");
    char *method = strsep(&line, " "), *target = strsep(&line, " ");
    if (!target || !line)
        return -1;
    for (char *header; (header = strsep(&rest, "\r")) != NULL;) {
        header += *header == '\n' ? 1 : 0;
        if (strncasecmp(header, "content-length:", 15) == 0 &&
            !number_parse(bytes_text(header + 15 + strspn(header + 15, " ")), 0, REQUEST_MAX, &size,
                          &err))
            return -1;
    }
    char *question = strchr(target, '?');
    if (question) {
        *question = '\0';
        if (!uri_query_parse(client, bytes_text(question + 1), 10, &client->query, &err))
            return -1;
    }
    client->method = method;
    client->path = target;
    return size;
}

static void input_look(struct client *client)
{
    const char *start = buffer_string(&client->in);
    const char *end = strstr(start, "\r\n\r\n");
    if (!end) {
        if (client->in.size > HEAD_MAX)
            refusal_send(client, 431, "the head is too long");
        return;
    }
    size_t head_size = (size_t)(end - start);
    int64_t size = head_parse(client, mem_text_part(client, start, head_size));
    if (size < 0) {
        refusal_send(client, 400, "this is no request");
        return;
    }
    if (client->in.size < head_size + 4 + (size_t)size)
        return;
    client->body = (struct bytes){client->in.data + head_size + 4, (size_t)size};
    request_route(client);
}

static void client_read(struct client *client)
{
    uint8_t part[16384];
    ssize_t size = read(client->fd, part, sizeof(part));
    if (size <= 0) {
        client->done = true;
        return;
    }
    if (client->wait_until) /* nothing more is expected */
        return;
    buffer_add(&client->in, (struct bytes){part, (size_t)size});
    if (client->in.failed)
        refusal_send(client, 413, "the request is too large");
    else
        input_look(client);
}

size_t control_poll_fill(const struct control *control, struct pollfd *list, size_t room)
{
    size_t count = 0;
    for (struct client *client = control->clients; client && count < room; client = client->next)
        list[count++] = (struct pollfd){.fd = client->fd, .events = POLLIN};
    return count;
}

void control_poll_take(struct control *control, const struct pollfd *list, size_t count)
{
    size_t index = 0;
    for (struct client *client = control->clients; client && index < count; client = client->next)
        if (list[index++].revents)
            client_read(client);
    for (struct client *client = control->clients; client; client = client->next)
        if (client->wait_until && !client->done)
            wait_look(client);
    for (struct client **at = &control->clients; *at;) {
        struct client *client = *at;
        if (!client->done) {
            at = &client->next;
            continue;
        }
        *at = client->next;
        mem_free(client);
    }
}
