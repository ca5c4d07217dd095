/* SPDX-License-Identifier: Apache-2.0 */
/* The listener over real sockets in a temporary directory and on a free loopback port. */
#include "tests/test.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/listener.h"

#define DEADLINE_MS 10000
#define CERTIFICATE                                                                                \
    "X-Muster-Client-Cert: "                                                                       \
    "-----BEGIN%20CERTIFICATE-----%0AMIIB%0A-----END%20CERTIFICATE-----%0A\r\n"

enum { SOCKET_EDGE, SOCKET_OTHER, SOCKET_LOOPBACK };

struct house {
    struct listener *listener;
    struct router *router;
    char directory[64];
    char *edge_path, *other_path;
    struct listener_socket sockets[3];
    sem_t entered, gate; /* the slow handler says that it runs, and waits */
    atomic_int started, stopped;
    bool refuses_services;
};

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

#define FILE_MOST (40U << 20)

/* What came is sent back, or an error behind a file that was already given. */
static bool answer_file(struct request *request, struct reply *reply, struct err *err)
{
    assert_null(request->body.data);
    reply_file(reply, 200, "application/octet-stream", dup(request->spool), request->spool_size);
    return !request_query(request, "fail") || err_set(err, ERR_CONFLICT, "no");
}

#define DOORS (DOOR_FRONT | DOOR_DEVICE | DOOR_METRICS)
static const struct route routes[] = {
    {HTTP_GET, "/who", answer_who, .doors = DOORS},
    {HTTP_GET, "/slow", answer_slowly, .doors = DOORS},
    {HTTP_PUT, "/body", answer_body, .doors = DOORS, .body_limit = 1000},
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

static struct house *house_make(void)
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

static bool house_open(struct house *house, struct err *err)
{
    struct listener_settings settings = {.sockets = house->sockets,
                                         .socket_count = COUNT(house->sockets),
                                         .router = house->router,
                                         .workers = 2,
                                         .queue_limit = 2,
                                         .spool_directory = house->directory,
                                         .idle_seconds = 2,
                                         .worker_start = services_start,
                                         .worker_stop = services_stop,
                                         .context = house};
    return listener_start(house, &settings, &house->listener, err);
}

static int set_up(void **state)
{
    struct house *house = house_make();
    struct err err;
    assert_works(house_open(house, &err), err);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    if (house->listener)
        assert_true(listener_stop(house->listener, 5));
    assert_int_equal(atomic_load(&house->started), atomic_load(&house->stopped));
    assert_int_equal(rmdir(house->directory), 0); /* the sockets are gone */
    mem_free(house);
    return 0;
}

/* ---- a client ---- */

static int connect_to(const struct house *house, int which)
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

static void say(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL); /* a cut connection shows in the reading */
}

/* Reads until text was seen, the peer closed or the deadline passed; returns what came. */
static const char *hear(int fd, const char *text)
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

static void assert_heard(const char *heard, const char *wanted)
{
    if (strstr(heard, wanted))
        return;
    print_error("'%s' is not in:\n", wanted);
    print_error("%s\n", heard);
    fail();
}

/* One request that asks for the connection's end; the whole answer. */
static const char *ask(const struct house *house, int which, const char *request)
{
    int fd = connect_to(house, which);
    say(fd, request);
    const char *heard = hear(fd, NULL);
    (void)close(fd);
    return heard;
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

static void it_answers_on_unix_sockets_and_on_loopback(void **state)
{
    struct house *house = *state;
    struct stat info;
    for (int which = SOCKET_EDGE; which <= SOCKET_LOOPBACK; which++) {
        const char *heard =
            ask(house, which, "PUT /body HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nhello");
        assert_heard(heard, "HTTP/1.1 200 ");
        assert_heard(heard, "\r\n\r\nhello");
        assert_heard(heard, "X-Request-Id: ");
    }
    assert_int_equal(stat(house->edge_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_connection_serves_several_requests(void **state)
{
    int fd = connect_to(*state, SOCKET_EDGE);
    for (int i = 0; i < 5; i++) {
        say(fd, "PUT /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        assert_heard(hear(fd, "abcde"), "HTTP/1.1 200 ");
    }
    (void)close(fd);
}

static void head_has_the_length_but_no_body(void **state)
{
    const char *heard = ask(*state, SOCKET_EDGE, "HEAD /who HTTP/1.1\r\n" CLOSE "\r\n");
    assert_heard(heard, "HTTP/1.1 200 ");
    assert_heard(heard, "Content-Length: ");
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\n");
}

static void an_announced_body_above_the_limit_is_refused_before_it_is_sent(void **state)
{
    const char *heard =
        ask(*state, SOCKET_EDGE, "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    assert_heard(heard, "HTTP/1.1 413 ");
    assert_heard(heard, "urn:muster:problem:too-large");
    heard = ask(*state, SOCKET_EDGE, "GET /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
    assert_heard(heard, "HTTP/1.1 413 ");
    heard =
        ask(*state, SOCKET_EDGE, "PUT /no HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n");
    assert_heard(heard, "HTTP/1.1 404 ");
}

static void a_chunked_body_above_the_limit_is_refused(void **state)
{
    int fd = connect_to(*state, SOCKET_EDGE);
    say(fd, "PUT /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 101; i++)
        say(fd, "a\r\n0123456789\r\n");
    say(fd, "0\r\n\r\n");
    assert_heard(hear(fd, NULL), "HTTP/1.1 413 ");
    (void)close(fd);
}

static void an_endless_body_is_cut(void **state)
{
    int fd = connect_to(*state, SOCKET_EDGE);
    static char chunk[16384 + 9];
    (void)snprintf(chunk, sizeof(chunk), "4000\r\n%016384d\r\n", 0);
    say(fd, "PUT /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    int sent = 0;
    while (sent < 1000 && send(fd, chunk, strlen(chunk), MSG_NOSIGNAL) > 0)
        sent++;
    assert_in_range(sent, 1, 999);
    (void)close(fd);
}

/* ---- large bodies ---- */

static size_t anonymous_memory(void)
{
    char line[256];
    size_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof(line), status))
        if (text_starts(line, "RssAnon:"))
            kilobytes = strtoul(line + 8, NULL, 10);
    (void)fclose(status);
    return kilobytes * 1024;
}

#define BLOCK 65536
/* Byte `at` of the body: blocks differ. */
static char letter_at(size_t at)
{
    return (char)('a' + (at / BLOCK + at) % 26);
}

static void send_letters(int fd, size_t total)
{
    static char block[BLOCK];
    for (size_t at = 0; at < total; at += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++)
            block[i] = letter_at(at + i);
        for (size_t sent = 0; sent < BLOCK;) {
            ssize_t size = send(fd, block + sent, BLOCK - sent, MSG_NOSIGNAL);
            assert_true(size > 0);
            sent += (size_t)size;
        }
    }
}

static void hear_letters(int fd, size_t total)
{
    static char block[BLOCK];
    for (size_t at = 0; at < total;) {
        ssize_t size = recv(fd, block, COUNT(block) < total - at ? COUNT(block) : total - at, 0);
        assert_true(size > 0);
        for (ssize_t i = 0; i < size; i++, at++)
            if (block[i] != letter_at(at))
                fail_msg("byte %zu is wrong", at);
    }
}

static void a_large_body_goes_through_a_file_with_flat_memory(void **state)
{
    size_t total = FILE_MOST - BLOCK, before = anonymous_memory();
    int fd = connect_to(*state, SOCKET_EDGE);
    char head[200];
    (void)snprintf(head, sizeof(head), "PUT /file HTTP/1.1\r\n" CLOSE "Content-Length: %zu\r\n\r\n",
                   total);
    say(fd, head);
    send_letters(fd, total);
    char byte;
    char seen[5] = "";
    while (strcmp(seen, "\r\n\r\n") != 0) { /* the head of the answer */
        assert_int_equal(recv(fd, &byte, 1, 0), 1);
        memmove(seen, seen + 1, 3);
        seen[3] = byte;
    }
    hear_letters(fd, total);
    assert_in_range(anonymous_memory(), 0, before + total / 4);
    (void)close(fd);
}

static void a_body_in_a_file_has_its_limit_too(void **state)
{
    int fd = connect_to(*state, SOCKET_EDGE);
    static char chunk[16384 + 9];
    (void)snprintf(chunk, sizeof(chunk), "4000\r\n%016384d\r\n", 0);
    say(fd, "PUT /file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0; sent <= FILE_MOST; sent += 16384)
        if (send(fd, chunk, strlen(chunk), MSG_NOSIGNAL) < 0)
            break;
    say(fd, "0\r\n\r\n");
    assert_heard(hear(fd, NULL), "HTTP/1.1 413 ");
    (void)close(fd);
    assert_heard(ask(*state, SOCKET_EDGE,
                     "PUT /file?fail=1 HTTP/1.1\r\n" CLOSE "Content-Length: 2\r\n\r\nab"),
                 "HTTP/1.1 409 ");
}

static void a_client_that_asks_first_is_told_to_go_on(void **state)
{
    int fd = connect_to(*state, SOCKET_EDGE);
    say(fd, "PUT /body HTTP/1.1\r\n" CLOSE "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_heard(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 ");
    say(fd, "hello");
    assert_heard(hear(fd, NULL), "hello");
    (void)close(fd);
    const char *heard = ask(*state, SOCKET_EDGE,
                            "PUT /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                            "Content-Length: 5000\r\n\r\n");
    assert_true(text_starts(heard, "HTTP/1.1 413 "));
}

static void a_slow_sender_is_cut_off_while_others_are_served(void **state)
{
    int slow = connect_to(*state, SOCKET_EDGE);
    say(slow, "PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nab");
    assert_heard(ask(*state, SOCKET_EDGE, "GET /who HTTP/1.1\r\n" CLOSE "\r\n"), " 200 ");
    assert_null(strstr(hear(slow, NULL), " 200 "));
    (void)close(slow);
}

static void a_full_queue_is_answered_with_503(void **state)
{
    struct house *house = *state;
    int fds[4]; /* two run, two wait */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to(house, SOCKET_EDGE);
        say(fds[i], "GET /slow HTTP/1.1\r\n" CLOSE "\r\n");
        if (i < 2)
            (void)sem_wait(&house->entered);
    }
    const char *heard = "";
    for (int i = 0; i < 100 && !strstr(heard, " 503 "); i++) { /* until the last two have arrived */
        int fd = connect_to(house, SOCKET_OTHER);
        say(fd, "GET /slow HTTP/1.1\r\n" CLOSE "\r\n");
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (poll(&poller, 1, 100) == 1)
            heard = hear(fd, NULL);
        (void)close(fd);
    }
    assert_heard(heard, "HTTP/1.1 503 ");
    assert_heard(heard, "Retry-After: ");
    for (int i = 0; i < 10; i++)
        (void)sem_post(&house->gate);
    for (size_t i = 0; i < COUNT(fds); i++) {
        heard = hear(fds[i], NULL);
        assert_true(strstr(heard, "slow") || strstr(heard, " 503 "));
        (void)close(fds[i]);
    }
}

static void *stop_later(void *argument)
{
    assert_true(listener_stop(((struct house *)argument)->listener, 8));
    return NULL;
}

static void a_stop_answers_what_is_under_way(void **state)
{
    struct house *house = *state;
    pthread_t thread;
    int fd = connect_to(house, SOCKET_EDGE);
    say(fd, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)sem_wait(&house->entered);
    assert_int_equal(pthread_create(&thread, NULL, stop_later, house), 0);
    for (int i = 0; i < 1000 && access(house->edge_path, F_OK) == 0; i++)
        (void)usleep(5000); /* until nobody can connect any more */
    assert_int_equal(access(house->edge_path, F_OK), -1);
    (void)sem_post(&house->gate);
    const char *heard = hear(fd, NULL);
    assert_heard(heard, "HTTP/1.1 200 ");
    assert_heard(heard, "Connection: close");
    (void)close(fd);
    assert_int_equal(pthread_join(thread, NULL), 0);
    house->listener = NULL;
}

static void a_stop_drops_what_waits_behind_a_stuck_handler(void **state)
{
    struct house *house = *state;
    int fds[3];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to(house, SOCKET_EDGE);
        say(fds[i], "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i < 2)
            (void)sem_wait(&house->entered);
    }
    (void)usleep(100000); /* the third waits */
    int64_t before = clock_monotonic_ms();
    assert_false(listener_stop(house->listener, 1));
    assert_in_range(clock_monotonic_ms() - before, 900, 5000);
    assert_heard(hear(fds[2], NULL), "HTTP/1.1 503 ");
    (void)sem_post(&house->gate);
    (void)sem_post(&house->gate);
    for (size_t i = 0; i < COUNT(fds); i++)
        (void)close(fds[i]);
    assert_true(listener_stop(house->listener, 5));
    house->listener = NULL;
}

static void the_edge_says_who_asks(void **state)
{
    const char *heard = ask(*state, SOCKET_EDGE,
                            "GET /who HTTP/1.1\r\n" CLOSE CERTIFICATE
                            "X-Muster-Peer: 192.0.2.7\r\nX-Request-Id: r-42\r\n\r\n");
    assert_heard(heard, "peer=192.0.2.7 id=r-42 certificate=3 refused=no spoofed=no");
    heard = ask(*state, SOCKET_EDGE, "GET /who HTTP/1.1\r\n" CLOSE "Client-Cert: :MIIB:\r\n\r\n");
    assert_heard(heard, "certificate=3");
    heard = ask(*state, SOCKET_EDGE,
                "GET /who HTTP/1.1\r\n" CLOSE "X-Muster-Client-Refused: FAILED:expired\r\n\r\n");
    assert_heard(heard, "certificate=0 refused=FAILED:expired");
}

static void nobody_else_can_say_who_asks(void **state)
{
    for (int which = SOCKET_OTHER; which <= SOCKET_LOOPBACK; which++) {
        const char *heard = ask(*state, which,
                                "GET /who HTTP/1.1\r\n" CLOSE CERTIFICATE "Client-Cert: :MIIB:\r\n"
                                "X-Muster-Peer: 192.0.2.7\r\nX-Request-Id: r-42\r\n\r\n");
        assert_heard(heard, "certificate=0 refused=no spoofed=no");
        assert_null(strstr(heard, "192.0.2.7"));
        assert_null(strstr(heard, "r-42"));
    }
}

static void what_cannot_be_read_one_way_is_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello1",
         " 400 "},
        {"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",
         " 400 "},
        {"GET /who HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", " 400 "},
        {"GET /who HTTP/1.1\r\nConnection: close\r\n\r\n", " 400 "},
        {"GET /who/../who HTTP/1.1\r\n" CLOSE "\r\n", " 400 "},
        {"BREW /who HTTP/1.1\r\n" CLOSE "\r\n", " 501 "},
        {"GET /who HTTP/1.1\r\n" CLOSE CERTIFICATE "Client-Cert: :MIIB:\r\n\r\n", " 400 "},
        {"GET /who HTTP/1.1\r\n" CLOSE CERTIFICATE CERTIFICATE "\r\n", " 400 "},
        {"GET /who HTTP/1.1\r\n" CLOSE "Client-Cert: MIIB\r\n\r\n", " 400 "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *heard = ask(*state, SOCKET_EDGE, rows[i].request);
        if (!strstr(heard, rows[i].answer) || strstr(heard, " 200 "))
            fail_msg("row %zu: %s", i, heard);
    }
}

static void more_than_100_header_lines_are_431(void **state)
{
    struct house *house = *state;
    char *request = mem_text(house, "GET /who HTTP/1.1\r\n" CLOSE);
    for (int i = 0; i < 100; i++)
        request = mem_format(house, "%sX-%d: 1\r\n", request, i);
    request = mem_format(house, "%s\r\n", request);
    assert_heard(ask(house, SOCKET_EDGE, request), "HTTP/1.1 431 ");
}

static void it_does_not_start_without_its_services(void **state)
{
    struct house *house = house_make();
    struct err err;
    (void)state;
    house->refuses_services = true;
    assert_fails(house_open(house, &err), err, ERR_UNAVAILABLE);
    assert_string_equal(err.text, "no database");
    assert_int_equal(rmdir(house->directory), 0);
    mem_free(house);
}

#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(it_answers_on_unix_sockets_and_on_loopback),
        HOUSE_TEST(a_connection_serves_several_requests),
        HOUSE_TEST(head_has_the_length_but_no_body),
        HOUSE_TEST(an_announced_body_above_the_limit_is_refused_before_it_is_sent),
        HOUSE_TEST(a_chunked_body_above_the_limit_is_refused),
        HOUSE_TEST(an_endless_body_is_cut),
        HOUSE_TEST(a_large_body_goes_through_a_file_with_flat_memory),
        HOUSE_TEST(a_body_in_a_file_has_its_limit_too),
        HOUSE_TEST(a_client_that_asks_first_is_told_to_go_on),
        HOUSE_TEST(a_slow_sender_is_cut_off_while_others_are_served),
        HOUSE_TEST(a_full_queue_is_answered_with_503),
        HOUSE_TEST(a_stop_answers_what_is_under_way),
        HOUSE_TEST(a_stop_drops_what_waits_behind_a_stuck_handler),
        HOUSE_TEST(the_edge_says_who_asks),
        HOUSE_TEST(nobody_else_can_say_who_asks),
        HOUSE_TEST(what_cannot_be_read_one_way_is_refused),
        HOUSE_TEST(more_than_100_header_lines_are_431),
        cmocka_unit_test(it_does_not_start_without_its_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
