/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/http/listener_house.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define DEADLINE_MS 10000

static bool answer_body(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    reply_bytes(reply, 200, "text/plain", request->body);
    return true;
}

static bool answer_who(struct request *request, struct reply *reply, struct err *err)
{
    (void)err;
    const char *refused = request->certificate_refused;
    char *text = mem_format(request->owner, "peer=%s id=%s certificate=%zu refused=%s spoofed=%s",
                            request->peer, request->id, request->client_certificate.size,
                            refused ? refused : "no",
                            request_header(request, "X-Muster-Client-Cert") ? "yes" : "no");
    reply_bytes(reply, 200, "text/plain", bytes_text(text));
    return true;
}

static bool answer_slowly(struct request *request, struct reply *reply, struct err *err)
{
    struct house *house = request->services;
    (void)err;
    (void)sem_post(&house->entered);
    (void)sem_wait(&house->gate);
    reply_bytes(reply, 200, "text/plain", bytes_text("slow"));
    return true;
}

/* What came is sent back, or an error behind a file that was already given. */
static bool answer_file(struct request *request, struct reply *reply, struct err *err)
{
    assert_null(request->body.data);
    reply_file(reply, 200, "application/octet-stream", dup(request->spool), request->spool_size);
    return !request_query(request, "fail") || err_set(err, ERR_CONFLICT, "no");
}

/* Knows what "known" is, and is of two minds about the rest. */
static bool glance_known(struct request *request, struct reply *reply)
{
    struct house *house = request->services;
    assert_true(house->is_glanced);
    reply_header(reply, "X-Glanced", "yes");
    reply_bytes(reply, 200, "text/plain", bytes_text("from memory"));
    request->who = house;
    return request->body.size >= 5 && memcmp(request->body.data, "known", 5) == 0;
}

static bool answer_unknown(struct request *request, struct reply *reply, struct err *err)
{
    assert_null(request->who);
    return answer_body(request, reply, err);
}

static enum http_urgency weigh_body(const struct request *request)
{
    const struct bytes body = request->body;
    return body.size >= 6 && memcmp(body.data, "urgent", 6) == 0 ? HTTP_URGENT : HTTP_PATIENT;
}

static void refused_count(void *context, enum http_urgency urgency)
{
    struct house *house = context;
    atomic_fetch_add(&house->refused[urgency], 1);
}

#define DOORS (DOOR_FRONT | DOOR_DEVICE | DOOR_METRICS)
static const struct route routes[] = {
    {HTTP_GET, "/who", answer_who, .doors = DOORS},
    {HTTP_GET, "/slow", answer_slowly, .doors = DOORS},
    {HTTP_PUT, "/body", answer_body, .doors = DOORS, .body_limit = 1000},
    {HTTP_PUT, "/known", answer_unknown, .doors = DOORS, .body_limit = 4000,
     .glance = glance_known},
    {HTTP_PUT, "/weighed", answer_slowly, .doors = DOORS, .body_limit = 1000, .weigh = weigh_body},
    {HTTP_GET, "/body", answer_body, .doors = DOORS},
    {HTTP_PUT, "/file", answer_file, .doors = DOORS, .body_limit = FILE_MOST,
     .flags = ROUTE_SPOOLS},
};
static const struct routes tables[] = {{routes, COUNT(routes)}};

static bool services_start(void *context, void **services, struct err *err)
{
    struct house *house = context;
    if (house->refuses_services)
        return err_set(err, ERR_UNAVAILABLE, "no database");
    atomic_fetch_add(&house->started, 1);
    *services = house;
    return true;
}

static void services_stop(void *context, void *services)
{
    struct house *house = context;
    assert_ptr_equal(house, services);
    atomic_fetch_add(&house->stopped, 1);
}

struct house *house_make(void)
{
    struct house *house = mem_new(NULL, struct house);
    (void)snprintf(house->directory, sizeof(house->directory), "/tmp/muster-listener-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    house->edge_path = mem_format(house, "%s/edge", house->directory);
    house->other_path = mem_format(house, "%s/other", house->directory);
    house->sockets[SOCKET_EDGE] = (struct listener_socket){
        .door = DOOR_DEVICE, .path = house->edge_path, .trusts_edge = true};
    house->sockets[SOCKET_OTHER] =
        (struct listener_socket){.door = DOOR_FRONT, .path = house->other_path};
    house->sockets[SOCKET_LOOPBACK] = (struct listener_socket){.door = DOOR_METRICS};
    house->router = router_make(house, tables, COUNT(tables));
    assert_int_equal(sem_init(&house->entered, 0, 0), 0);
    assert_int_equal(sem_init(&house->gate, 0, 0), 0);
    return house;
}

bool house_open(struct house *house, struct err *err)
{
    struct listener_settings settings = {.sockets = house->sockets,
                                         .socket_count = COUNT(house->sockets),
                                         .router = house->router,
                                         .workers = 2,
                                         .queue_limit = house->queue ? house->queue : 2,
                                         .spool_directory = house->directory,
                                         .idle_seconds = 2,
                                         .glancing = house->is_glanced ? house : NULL,
                                         .worker_start = services_start,
                                         .worker_stop = services_stop,
                                         .refused = refused_count,
                                         .context = house};
    return listener_start(house, &settings, &house->listener, err);
}

int house_set_up(void **state)
{
    struct house *house = house_make();
    struct err err;
    assert_works(house_open(house, &err), err);
    *state = house;
    return 0;
}

int house_tear_down(void **state)
{
    struct house *house = *state;
    if (house->listener)
        assert_true(listener_stop(house->listener, 5));
    assert_int_equal(atomic_load(&house->started), atomic_load(&house->stopped));
    assert_int_equal(rmdir(house->directory), 0); /* the sockets are gone */
    mem_free(house);
    return 0;
}

int connect_to(const struct house *house, int which)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (which == SOCKET_LOOPBACK) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        loopback.sin_port = htons((uint16_t)listener_port(house->listener, SOCKET_LOOPBACK));
        assert_int_equal(connect(fd, (struct sockaddr *)&loopback, sizeof(loopback)), 0);
        return fd;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s",
                   which == SOCKET_EDGE ? house->edge_path : house->other_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(local)), 0);
    return fd;
}

void say(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL); /* a cut connection shows in the reading */
}

const char *hear(int fd, const char *text)
{
    static _Thread_local char heard[8192];
    size_t size = 0;
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    heard[0] = '\0';
    while (!text || !strstr(heard, text)) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0 || poll(&poller, 1, (int)left) <= 0)
            fail_msg("no '%s' in time, only: %s", text ? text : "end", heard);
        ssize_t got = recv(fd, heard + size, sizeof(heard) - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        heard[size] = '\0';
    }
    return heard;
}

void assert_heard(const char *heard, const char *wanted)
{
    if (strstr(heard, wanted))
        return;
    print_error("'%s' is not in:\n", wanted);
    print_error("%s\n", heard);
    fail();
}

const char *ask(const struct house *house, int which, const char *request)
{
    int fd = connect_to(house, which);
    say(fd, request);
    const char *heard = hear(fd, NULL);
    (void)close(fd);
    return heard;
}
