/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that no client of ours sends. */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "keyd/sandbox.h"
#include "pki/keyd_wire.h"
#include "tests/unit/keyd/process.h"

static int raw_end(void **state)
{
    struct process *process = *state;
    struct keyd_options options = {.directory = process->directory};
    int ends[2], fd;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    (void)close(ends[1]);
    (void)kill(process->pid, SIGKILL);
    (void)process_wait(process);
    keyd_replace(process->keyd, ends[0]);
    process->pid = process_fork(&options, &fd);
    return fd;
}

/* The answer's status; keyd must still be there. */
static unsigned ask(int fd, struct bytes frame)
{
    struct wire_head head;
    struct buffer payload;
    struct err err;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    assert_int_equal(send(fd, frame.data, frame.size, MSG_NOSIGNAL), (ssize_t)frame.size);
    buffer_init(&payload, owner, WIRE_MESSAGE_MAX);
    assert_works(wire_receive(fd, WIRE_TIMEOUT_MS, &head, &payload, &err), err);
    return head.status;
}

static const uint8_t ping[WIRE_HEAD_SIZE] = {WIRE_VERSION, KEYD_OP_PING, 0, 0, 0, 0, 0, 1};

static void garbage_is_answered_and_forgotten(void **state)
{
    int fd = raw_end(state);
    uint8_t frame[300];
    assert_int_equal(ask(fd, BYTES_OF(ping)), 0);
    for (int i = 0; i < 500; i++) {
        random_bytes(frame, sizeof(frame));
        frame[2] &= 0xfe; /* MORE would wait for more */
        assert_int_not_equal(ask(fd, (struct bytes){frame, 1 + (size_t)i % 299}), 0);
    }
    assert_int_equal(ask(fd, BYTES_OF(ping)), 0);
    (void)close(fd);
}

static void every_operation_refuses_random_fields(void **state)
{
    int fd = raw_end(state);
    uint8_t frame[200];
    for (uint8_t operation = 0; operation < 40; operation++)
        for (int i = 0; i < 60; i++) {
            random_bytes(frame, sizeof(frame));
            const uint8_t head[] = {WIRE_VERSION, operation, 0, 0, 1, 2, 3, 4};
            memcpy(frame, head, sizeof(head));
            if (i % 2) /* lengths that look like lengths */
                memset(frame + 8, 0, 7);
            size_t size = sizeof(head) + 1 + (size_t)i;
            assert_int_not_equal(ask(fd, (struct bytes){frame, size}), 0);
        }
    assert_int_equal(ask(fd, BYTES_OF(ping)), 0);
    (void)close(fd);
}

static void frames_and_messages_that_are_too_large_are_refused(void **state)
{
    int fd = raw_end(state);
    CLEANUP(mem_free_at) uint8_t *large = mem_array(NULL, uint8_t, WIRE_FRAME_MAX + 100);
    const uint8_t head[] = {WIRE_VERSION, KEYD_OP_MAC, 0, 0, 0, 0, 0, 2};
    memcpy(large, head, sizeof(head));
    assert_int_equal(ask(fd, (struct bytes){large, WIRE_FRAME_MAX + 1}), ERR_BAD_INPUT);
    assert_int_equal(ask(fd, (struct bytes){large, WIRE_FRAME_MAX}), ERR_TOO_LARGE);
    large[2] = 1; /* MORE, without end */
    for (int i = 0; i < 140; i++)
        assert_true(send(fd, large, WIRE_FRAME_MAX, MSG_NOSIGNAL) > 0);
    large[2] = 0;
    assert_int_equal(ask(fd, (struct bytes){large, WIRE_FRAME_MAX}), ERR_TOO_LARGE);
    assert_int_equal(ask(fd, BYTES_OF(ping)), 0);
    (void)close(fd);
}

static void a_message_whose_frames_disagree_is_refused(void **state)
{
    int fd = raw_end(state);
    uint8_t first[] = {WIRE_VERSION, KEYD_OP_PING, 1, 0, 0, 0, 0, 3};
    const uint8_t second[] = {WIRE_VERSION, KEYD_OP_PING, 0, 0, 0, 0, 0, 4};
    assert_true(send(fd, first, sizeof(first), MSG_NOSIGNAL) > 0);
    assert_int_equal(ask(fd, BYTES_OF(second)), ERR_BAD_INPUT);
    assert_int_equal(ask(fd, BYTES_OF(ping)), 0);
    (void)close(fd);
}

static void the_client_gives_up_when_keyd_is_gone_and_goes_on_with_a_new_one(void **state)
{
    struct process *process = *state;
    struct keyd_options options = {.directory = process->directory};
    struct err err;
    int fd;
    (void)kill(process->pid, SIGKILL);
    (void)process_wait(process);
    assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    process->pid = process_fork(&options, &fd);
    keyd_replace(process->keyd, fd);
    assert_works(keyd_ping(process->keyd, &err), err);
}

/* What a process does behind the sandbox; its exit code, or -signal. */
static int behind_the_sandbox(void (*act)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err;
        if (!sandbox_prepare(&err) || !sandbox_close(&err))
            _exit(2);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void do_nothing(void)
{
}

static void make_a_socket(void)
{
    (void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void start_a_program(void)
{
    (void)!execl("/bin/true", "true", (char *)NULL);
}

static void remove_a_file(void)
{
    (void)!unlink("/nonexistent/file");
}

static void what_keyd_never_does_ends_it(void **state)
{
    (void)state;
    assert_int_equal(behind_the_sandbox(do_nothing), 0);
    assert_int_equal(behind_the_sandbox(make_a_socket), -SIGSYS);
    assert_int_equal(behind_the_sandbox(start_a_program), -SIGSYS);
    assert_int_equal(behind_the_sandbox(remove_a_file), -SIGSYS);
}

static void count_up(void *context)
{
    ++*(int *)context;
}

static void a_keyd_that_hangs_is_waited_for_once(void **state)
{
    struct process *process = *state;
    struct err err;
    int told = 0;
    keyd_set_watch(process->keyd, (struct keyd_watch){2, count_up, &told});
    assert_works(keyd_ping(process->keyd, &err), err);
    assert_int_equal(kill(process->pid, SIGSTOP), 0);
    assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    assert_int_equal(told, 1);
    int64_t begun = clock_monotonic_ms();
    for (int i = 0; i < 100; i++)
        assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - begun < WIRE_TIMEOUT_MS / 2);
    assert_int_equal(told, 1);
    process_restart(process, true);
    assert_works(keyd_ping(process->keyd, &err), err);
    assert_int_equal(told, 1);
}

struct asking {
    struct keyd *keyd;
    int64_t took; /* milliseconds until it failed */
};

static void *ask_once(void *context)
{
    struct asking *asking = context;
    struct err err;
    int64_t begun = clock_monotonic_ms();
    (void)!keyd_ping(asking->keyd, &err);
    asking->took = clock_monotonic_ms() - begun;
    return NULL;
}

static void only_some_callers_wait_long_for_their_turn(void **state)
{
    struct process *process = *state;
    struct asking asking[6];
    pthread_t threads[COUNT(asking)];
    int told = 0, short_waits = 0;
    keyd_set_watch(process->keyd, (struct keyd_watch){2, count_up, &told});
    assert_int_equal(kill(process->pid, SIGSTOP), 0);
    for (size_t i = 0; i < COUNT(asking); i++) {
        asking[i] = (struct asking){process->keyd, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_once, &asking[i]), 0);
    }
    for (size_t i = 0; i < COUNT(asking); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        short_waits += asking[i].took < WIRE_TIMEOUT_MS / 2;
    }
    assert_int_equal(short_waits, COUNT(asking) - 2);
    process_restart(process, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyd_that_hangs_is_waited_for_once),
        cmocka_unit_test(only_some_callers_wait_long_for_their_turn),
        cmocka_unit_test(garbage_is_answered_and_forgotten),
        cmocka_unit_test(every_operation_refuses_random_fields),
        cmocka_unit_test(frames_and_messages_that_are_too_large_are_refused),
        cmocka_unit_test(a_message_whose_frames_disagree_is_refused),
        cmocka_unit_test(what_keyd_never_does_ends_it),
        cmocka_unit_test(the_client_gives_up_when_keyd_is_gone_and_goes_on_with_a_new_one),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
