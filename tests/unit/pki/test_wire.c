/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pki/keyd_client.h"
#include "tests/test.h"

static void fields_come_back_as_they_went(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct buffer out;
    struct bytes sent;
    struct err err;
    const char *const list[] = {"a", "", NULL};
    buffer_init(&out, owner, 1000);
    wire_u8(&out, 200);
    wire_i64(&out, INT64_MIN + 5);
    wire_bytes(&out, bytes_text("xyz"));
    wire_text(&out, NULL);
    wire_text(&out, "");
    wire_texts(&out, list);
    wire_texts(&out, NULL);
    assert_works(buffer_done(&out, &sent, &err), err);
    struct reader in = reader_of(sent);
    assert_int_equal(reader_u8(&in), 200);
    assert_true(wire_get_i64(&in) == INT64_MIN + 5);
    assert_true(bytes_equal(wire_get_bytes(&in, 3), bytes_text("xyz")));
    assert_null(wire_get_text(owner, &in, 10));
    assert_string_equal(wire_get_text(owner, &in, 10), "");
    const char *const *got = wire_get_texts(owner, &in, 2, 10);
    assert_string_equal(got[0], "a");
    assert_null(got[2]);
    assert_null(wire_get_texts(owner, &in, 2, 10)[0]);
    assert_true(reader_done(&in));
}

static void fields_beyond_their_limit_make_the_reader_fail(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xfe, 1, 2}, nul[] = {0, 0, 0, 1, 0};
    struct reader in = reader_of(BYTES_OF(huge));
    assert_null(wire_get_bytes(&in, 100).data);
    assert_false(reader_ok(&in));
    in = reader_of(BYTES_OF(huge));
    assert_null(wire_get_texts(owner, &in, 100, 100)[0]);
    assert_false(reader_ok(&in));
    in = reader_of(BYTES_OF(nul));
    assert_null(wire_get_text(owner, &in, 100));
    assert_false(reader_ok(&in));
}

/* A keyd that answers the second request of a connection, with the ids swapped. */
static void *answer_late(void *context)
{
    int fd = *(int *)context;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct wire_head head;
    struct buffer payload;
    struct err err;
    buffer_init(&payload, owner, 100);
    if (!wire_receive(fd, 5000, &head, &payload, &err))
        return NULL;
    head.id += 7; /* an answer to a call that nobody waits for any more */
    if (!wire_send(fd, &head, bytes_text("old"), &err))
        return NULL;
    head.id -= 7;
    if (!wire_send(fd, &head, NO_BYTES, &err))
        return NULL;
    return context;
}

static void late_answers_are_dropped(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    int ends[2];
    pthread_t thread;
    struct keyd *keyd;
    struct err err;
    void *answered;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_works(keyd_attach(owner, ends[0], &keyd, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, &ends[1]), 0);
    assert_works(keyd_ping(keyd, &err), err);
    assert_int_equal(pthread_join(thread, &answered), 0);
    assert_non_null(answered);
    (void)close(ends[1]);
    assert_fails(keyd_ping(keyd, &err), err, ERR_UNAVAILABLE);
}

static void only_the_right_kind_of_socket_is_attached(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    int ends[2];
    struct keyd *keyd;
    struct err err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_fails(keyd_attach(owner, ends[0], &keyd, &err), err, ERR_INTERNAL);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_as_they_went),
        cmocka_unit_test(fields_beyond_their_limit_make_the_reader_fail),
        cmocka_unit_test(late_answers_are_dropped),
        cmocka_unit_test(only_the_right_kind_of_socket_is_attached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
