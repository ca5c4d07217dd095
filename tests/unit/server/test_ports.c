/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/options_table.h"
#include "tests/test.h"

/* Somebody who listens at a free port of the loopback address. */
static int other_open(int64_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_port_of_another_program_is_named(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = options_defaults(owner);
    struct err err;
    int64_t port;
    int fd = other_open(&port);
    options.edge_mode = EDGE_MODE_EXTERNAL;
    options.metrics_port = port;
    assert_false(ports_check(&options, &err));
    assert_int_equal(err.kind, ERR_PRECONDITION);
    assert_non_null(strstr(err.text, "[metrics]"));
    assert_non_null(err.remedy);
    (void)close(fd);
    assert_works(ports_check(&options, &err), err);
}

static void every_address_of_a_door_is_looked_at(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = options_defaults(owner);
    struct err err;
    int64_t port;
    int fd = other_open(&port);
    options.metrics_port = 0;
    options.front_address = mem_text(owner, "127.0.0.2 127.0.0.1");
    options.front_port = port;
    assert_false(ports_check(&options, &err));
    assert_non_null(strstr(err.text, "[front]"));
    options.front_address = mem_text(owner, "::1");
    options.device_address = options.plain_address = mem_text(owner, "127.0.0.1");
    options.device_port = port;
    assert_false(ports_check(&options, &err));
    assert_non_null(strstr(err.text, "[device]"));
    (void)close(fd);
}

static void a_port_of_an_edge_of_ones_own_is_not_ours(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = options_defaults(owner);
    struct err err;
    int fd = other_open(&options.front_port);
    options.front_address = mem_text(owner, "127.0.0.1");
    options.metrics_port = 0;
    options.edge_mode = EDGE_MODE_EXTERNAL;
    assert_works(ports_check(&options, &err), err);
    (void)close(fd);
}

static void what_was_just_ended_is_waited_for(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct options options = options_defaults(owner);
    struct err err;
    int fd = other_open(&options.metrics_port);
    options.edge_mode = EDGE_MODE_EXTERNAL;
    assert_false(ports_wait(&options, 300, &err));
    assert_int_equal(err.kind, ERR_PRECONDITION);
    (void)close(fd);
    assert_works(ports_wait(&options, 300, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_of_another_program_is_named),
        cmocka_unit_test(every_address_of_a_door_is_looked_at),
        cmocka_unit_test(a_port_of_an_edge_of_ones_own_is_not_ours),
        cmocka_unit_test(what_was_just_ended_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
