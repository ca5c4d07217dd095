/* SPDX-License-Identifier: Apache-2.0 */
/* What the listener answers, refuses and cuts off, and how it stops. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/unit/http/listener_house.h"

#define CERTIFICATE                                                                                \
    "X-Muster-Client-Cert: "                                                                       \
    "-----BEGIN%20CERTIFICATE-----%0AMIIB%0A-----END%20CERTIFICATE-----%0A\r\n"

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

/* ---- answers from memory ---- */

static const char *put_known(const struct house *house, const char *query, const char *body)
{
    CLEANUP(mem_free_at)
    char *request =
        mem_format(NULL, "PUT /known%s HTTP/1.1\r\n" CLOSE "Content-Length: %zu\r\n\r\n%s", query,
                   strlen(body), body);
    return ask(house, SOCKET_EDGE, request);
}

static int glanced_set_up(void **state)
{
    struct house *house = house_make();
    struct err err;
    house->is_glanced = true;
    assert_works(house_open(house, &err), err);
    *state = house;
    return 0;
}

static void what_memory_knows_needs_no_worker(void **state)
{
    struct house *house = *state;
    int fds[2];
    for (size_t i = 0; i < COUNT(fds); i++) { /* all there are */
        fds[i] = connect_to(house, SOCKET_EDGE);
        say(fds[i], "GET /slow HTTP/1.1\r\n" CLOSE "\r\n");
        (void)sem_wait(&house->entered);
    }
    const char *heard = put_known(house, "", "known");
    assert_heard(heard, " 200 ");
    assert_heard(heard, "from memory");
    for (size_t i = 0; i < COUNT(fds); i++)
        (void)sem_post(&house->gate);
    for (size_t i = 0; i < COUNT(fds); i++) {
        assert_heard(hear(fds[i], NULL), "slow");
        (void)close(fds[i]);
    }
}

static void what_memory_does_not_know_is_left_to_the_handler(void **state)
{
    const char *heard = put_known(*state, "", "unknown");
    assert_heard(heard, " 200 ");
    assert_heard(heard, "unknown");
    assert_null(strstr(heard, "X-Glanced")); /* nothing is left of what it began */
    assert_null(strstr(put_known(*state, "?a=b", "known"), "from memory"));
    assert_null(strstr(put_known(*state, "", ""), "from memory"));
}

static void what_is_long_is_not_glanced_at(void **state)
{
    char body[HTTP_GLANCE_MAX + 2] = "known";
    memset(body + 5, 'x', HTTP_GLANCE_MAX - 5);
    assert_int_equal(strlen(body), HTTP_GLANCE_MAX);
    assert_heard(put_known(*state, "", body), "from memory");
    body[HTTP_GLANCE_MAX] = 'x';
    assert_null(strstr(put_known(*state, "", body), "from memory"));
}

static void a_listener_without_memory_asks_the_handler(void **state)
{
    assert_null(strstr(put_known(*state, "", "known"), "from memory"));
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

/* Another account that may open the socket. The listener sleeps until all is said: what came before
 * it was looked at is there to be read. Another process wakes it, for a stranger may not. */
static void stranger_speaks(const struct house *house)
{
    pid_t listener = getppid();
    int said[2];
    char byte;
    if (pipe(said) != 0 || kill(listener, SIGSTOP) != 0)
        _exit(1);
    pid_t waker = fork();
    if (waker == 0) {
        (void)!read(said[0], &byte, 1);
        _exit(kill(listener, SIGCONT));
    }
    if (waker < 0 || setgid(65534) != 0 || setuid(65534) != 0)
        _exit(1);
    int fd = connect_to(house, SOCKET_EDGE);
    say(fd, "GET /slow HTTP/1.1\r\n" CLOSE "\r\n");
    if (write(said[1], "", 1) != 1)
        _exit(1);
    (void)hear(fd, NULL);
    _exit(0);
}

static void what_a_stranger_says_is_not_done(void **state)
{
    struct house *house = *state;
    int status = 0;
    if (geteuid() != 0) {
        print_message("only root can speak as another account\n");
        return;
    }
    assert_int_equal(chmod(house->directory, 0755) + chmod(house->edge_path, 0666), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        stranger_speaks(house);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    /* a request of ours behind it is done: its own would have been begun */
    assert_heard(ask(house, SOCKET_EDGE, "GET /who HTTP/1.1\r\n" CLOSE "\r\n"), " 200 ");
    assert_int_equal(sem_trywait(&house->entered), -1);
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
        cmocka_unit_test_setup_teardown(what_memory_knows_needs_no_worker, glanced_set_up,
                                        house_tear_down),
        cmocka_unit_test_setup_teardown(what_memory_does_not_know_is_left_to_the_handler,
                                        glanced_set_up, house_tear_down),
        cmocka_unit_test_setup_teardown(what_is_long_is_not_glanced_at, glanced_set_up,
                                        house_tear_down),
        HOUSE_TEST(a_listener_without_memory_asks_the_handler),
        HOUSE_TEST(a_stop_answers_what_is_under_way),
        HOUSE_TEST(a_stop_drops_what_waits_behind_a_stuck_handler),
        HOUSE_TEST(the_edge_says_who_asks),
        HOUSE_TEST(nobody_else_can_say_who_asks),
        HOUSE_TEST(what_cannot_be_read_one_way_is_refused),
        HOUSE_TEST(more_than_100_header_lines_are_431),
        HOUSE_TEST(what_a_stranger_says_is_not_done),
        cmocka_unit_test(it_does_not_start_without_its_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
