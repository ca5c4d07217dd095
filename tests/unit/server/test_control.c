/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/control.h"
#include "server/hung.h"

static void pair_make(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void a_word_arrives_with_its_descriptor(void **state)
{
    enum control_word word;
    struct stat sent, came;
    struct err err;
    int ends[2], pipes[2], fd;
    (void)state;
    pair_make(ends);
    assert_int_equal(pipe(pipes), 0);
    assert_works(control_send(ends[0], CONTROL_KEYD, pipes[0], &err), err);
    assert_works(control_receive(ends[1], &word, &fd, &err), err);
    assert_int_equal(word, CONTROL_KEYD);
    assert_int_equal(fstat(pipes[0], &sent), 0);
    assert_int_equal(fstat(fd, &came), 0);
    assert_int_equal(sent.st_ino, came.st_ino);
    for (int i = 0; i < 2; i++) {
        (void)close(ends[i]);
        (void)close(pipes[i]);
    }
    (void)close(fd);
}

static void nothing_there_is_no_word(void **state)
{
    enum control_word word;
    struct err err;
    int ends[2], fd;
    (void)state;
    pair_make(ends);
    assert_works(control_receive(ends[0], &word, &fd, &err), err);
    assert_int_equal(word, 0);
    assert_int_equal(fd, -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void an_unknown_word_is_none(void **state)
{
    static const uint32_t numbers[] = {0, 99, UINT32_MAX};
    enum control_word word;
    struct err err;
    int ends[2], fd;
    (void)state;
    pair_make(ends);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_int_equal(send(ends[0], &numbers[i], sizeof(numbers[i]), 0), sizeof(numbers[i]));
        assert_works(control_receive(ends[1], &word, &fd, &err), err);
        assert_int_equal(word, 0);
    }
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    assert_works(control_receive(ends[1], &word, &fd, &err), err);
    assert_int_equal(word, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void the_end_of_the_other_side_is_an_error(void **state)
{
    enum control_word word;
    struct err err;
    int ends[2], fd;
    (void)state;
    pair_make(ends);
    (void)close(ends[0]);
    assert_fails(control_receive(ends[1], &word, &fd, &err), err, ERR_UNAVAILABLE);
    assert_fails(control_send(ends[1], CONTROL_RELOAD, -1, &err), err, ERR_UNAVAILABLE);
    (void)close(ends[1]);
}

static void socket_fill(int end)
{
    const uint32_t word = CONTROL_EDGE_READY;
    while (send(end, &word, sizeof(word), MSG_DONTWAIT) > 0)
        continue;
}

static size_t words_drain(int end, enum control_word wanted)
{
    enum control_word word;
    struct err err;
    size_t count = 0;
    int fd;
    do {
        assert_works(control_receive(end, &word, &fd, &err), err);
        count += word == wanted;
    } while (word);
    return count;
}

static void a_word_that_the_socket_did_not_take_is_said_again(void **state)
{
    int ends[2];
    (void)state;
    pair_make(ends);
    struct hung hung = {.control = ends[0]};
    socket_fill(ends[0]);
    hung_tell(&hung);
    hung_tell_again(&hung, true); /* still full */
    assert_int_equal(words_drain(ends[1], CONTROL_KEYD_HUNG), 0);
    for (int i = 0; i < 3; i++)
        hung_tell_again(&hung, true);
    assert_int_equal(words_drain(ends[1], CONTROL_KEYD_HUNG), 1);
    socket_fill(ends[0]);
    hung_tell(&hung);
    (void)words_drain(ends[1], CONTROL_KEYD_HUNG);
    hung_tell_again(&hung, false); /* it was replaced meanwhile */
    hung_tell_again(&hung, true);
    assert_int_equal(words_drain(ends[1], CONTROL_KEYD_HUNG), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_arrives_with_its_descriptor),
        cmocka_unit_test(nothing_there_is_no_word),
        cmocka_unit_test(an_unknown_word_is_none),
        cmocka_unit_test(the_end_of_the_other_side_is_an_error),
        cmocka_unit_test(a_word_that_the_socket_did_not_take_is_said_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
