/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keyd_client.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define MOMENT_MS 500 /* far more than a turn of a keyd that works */

struct keyd {
    pthread_mutex_t turn; /* held during a call: one request is under way at a time */
    pthread_mutex_t end;  /* guards what follows, so that replacing can wake a waiting call */
    int fd;               /* -1: keyd is gone */
    int spare;            /* the end to use from the next call on, or -1 */
    bool has_answered;    /* this fd */
    bool is_hung;         /* it did, and then no more */
    unsigned waiting;     /* callers that want their turn or have it */
    uint32_t last_id;
    struct keyd_watch watch;
};

static int keyd_free(struct keyd *keyd)
{
    if (keyd->fd >= 0)
        (void)close(keyd->fd);
    if (keyd->spare >= 0)
        (void)close(keyd->spare);
    (void)pthread_mutex_destroy(&keyd->turn);
    (void)pthread_mutex_destroy(&keyd->end);
    return 0;
}

/* A keyd that does not read must not hold a caller longer than one that does not answer. */
static void limit_sending(int fd)
{
    struct timeval limit = {.tv_sec = WIRE_TIMEOUT_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool keyd_attach(void *owner, int fd, struct keyd **out, struct err *err)
{
    int type = 0;
    socklen_t size = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
        return err_set(err, ERR_INTERNAL, "descriptor %d is not a SOCK_SEQPACKET socket", fd);
    struct keyd *keyd = mem_new(owner, struct keyd);
    keyd->fd = fd;
    keyd->spare = -1;
    if (pthread_mutex_init(&keyd->turn, NULL) != 0 || pthread_mutex_init(&keyd->end, NULL) != 0)
        bug("mutexes cannot be made");
    mem_destructor(keyd, keyd_free);
    limit_sending(fd);
    *out = keyd;
    return true;
}

void keyd_set_watch(struct keyd *keyd, struct keyd_watch watch)
{
    keyd->watch = watch;
}

void keyd_replace(struct keyd *keyd, int fd)
{
    limit_sending(fd);
    (void)pthread_mutex_lock(&keyd->end);
    if (keyd->spare >= 0)
        (void)close(keyd->spare);
    keyd->spare = fd;
    keyd->is_hung = false;
    if (keyd->fd >= 0)
        (void)shutdown(keyd->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&keyd->end);
}

/* The descriptor for this call. Only the call that has the turn closes the old one. */
static int take_end(struct keyd *keyd)
{
    (void)pthread_mutex_lock(&keyd->end);
    if (keyd->spare >= 0) {
        if (keyd->fd >= 0)
            (void)close(keyd->fd);
        keyd->fd = keyd->spare;
        keyd->spare = -1;
        keyd->has_answered = keyd->is_hung = false;
    }
    int fd = keyd->fd;
    (void)pthread_mutex_unlock(&keyd->end);
    return fd;
}

static bool answer_receive(int fd, uint32_t id, struct wire_head *head, struct buffer *payload,
                           struct err *err)
{
    do { /* late answers to calls that gave up are dropped */
        bytes_wipe(payload->data, payload->size);
        buffer_clear(payload);
        if (!wire_receive(fd, WIRE_TIMEOUT_MS, head, payload, err))
            return false;
    } while (head->id != id);
    return true;
}

/* The call that has the turn has waited in vain: everybody else shall not. */
static void time_out_note(struct keyd *keyd, int64_t started_at)
{
    (void)pthread_mutex_lock(&keyd->end);
    bool is_new = keyd->has_answered && keyd->spare < 0 && !keyd->is_hung &&
                  clock_monotonic_ms() - started_at >= WIRE_TIMEOUT_MS;
    if (is_new)
        keyd->is_hung = true;
    (void)pthread_mutex_unlock(&keyd->end);
    if (is_new && keyd->watch.hung)
        keyd->watch.hung(keyd->watch.context);
}

static bool exchange(struct keyd *keyd, enum keyd_operation operation, struct bytes request,
                     struct wire_head *head, struct buffer *payload, struct err *err)
{
    int64_t started_at = clock_monotonic_ms();
    int fd = take_end(keyd);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "the key process is gone");
    struct wire_head ask = {.operation = (uint8_t)operation, .id = ++keyd->last_id};
    if (!wire_send(fd, &ask, request, err) || !answer_receive(fd, ask.id, head, payload, err)) {
        time_out_note(keyd, started_at);
        return false;
    }
    (void)pthread_mutex_lock(&keyd->end);
    keyd->has_answered = true;
    (void)pthread_mutex_unlock(&keyd->end);
    return true;
}

/* How long this caller may wait for its turn; false: no sense in it. */
static bool patience_take(struct keyd *keyd, int64_t *patience_ms)
{
    (void)pthread_mutex_lock(&keyd->end);
    bool is_hung = keyd->is_hung;
    bool is_patient = !keyd->watch.patient || keyd->waiting < keyd->watch.patient;
    if (!is_hung)
        keyd->waiting++;
    (void)pthread_mutex_unlock(&keyd->end);
    *patience_ms = is_patient ? WIRE_TIMEOUT_MS : MOMENT_MS;
    return !is_hung;
}

static void waiting_end(struct keyd *keyd)
{
    (void)pthread_mutex_lock(&keyd->end);
    keyd->waiting--;
    (void)pthread_mutex_unlock(&keyd->end);
}

bool keyd_is_hung(struct keyd *keyd)
{
    (void)pthread_mutex_lock(&keyd->end);
    bool is_hung = keyd->is_hung;
    (void)pthread_mutex_unlock(&keyd->end);
    return is_hung;
}

static bool turn_wait(struct keyd *keyd, int64_t patience_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += patience_ms % 1000 * 1000000;
    until.tv_sec += patience_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_mutex_clocklock(&keyd->turn, CLOCK_MONOTONIC, &until) != 0)
        return false;
    if (!keyd_is_hung(keyd)) /* it may have been found so while we waited */
        return true;
    (void)pthread_mutex_unlock(&keyd->turn);
    return false;
}

static bool take_turn(struct keyd *keyd, struct err *err)
{
    int64_t patience_ms;
    if (!patience_take(keyd, &patience_ms))
        return err_set(err, ERR_UNAVAILABLE, "the key process does not answer");
    if (turn_wait(keyd, patience_ms))
        return true;
    waiting_end(keyd);
    return err_set(err, ERR_UNAVAILABLE, "the key process is busy");
}

static void leave_turn(struct keyd *keyd)
{
    (void)pthread_mutex_unlock(&keyd->turn);
    waiting_end(keyd);
}

static bool answer_check(const struct wire_head *head, struct bytes payload, struct err *err)
{
    if (head->status == 0)
        return true;
    CLEANUP(mem_free_at) char *text = bytes_to_text(NULL, payload);
    enum err_kind kind = head->status <= ERR_INTERNAL ? (enum err_kind)head->status : ERR_INTERNAL;
    return err_set(err, kind, "%s", text ? text : "the key process refused");
}

bool keyd_call(struct keyd *keyd, void *owner, enum keyd_operation operation,
               struct buffer *request, struct reader *answer, struct err *err)
{
    struct bytes payload, plain;
    if (!buffer_done(request, &payload, err) || !take_turn(keyd, err))
        return false;
    struct buffer reply;
    struct wire_head head;
    buffer_init(&reply, owner, WIRE_MESSAGE_MAX);
    bool got = exchange(keyd, operation, payload, &head, &reply, err);
    leave_turn(keyd);
    bytes_wipe(request->data, request->size);
    if (!got && err->kind != ERR_UNAVAILABLE)
        return err_set(err, ERR_INTERNAL, "the key process answers in an unknown way");
    if (!got || !buffer_done(&reply, &plain, err) || !answer_check(&head, plain, err))
        return false;
    *answer = reader_of(plain);
    return true;
}

bool keyd_answer_done(const struct reader *answer, struct err *err)
{
    if (!reader_done(answer))
        return err_set(err, ERR_INTERNAL, "the key process answers in an unknown way");
    return true;
}

bool keyd_call_bytes(struct keyd *keyd, void *owner, enum keyd_operation operation,
                     struct buffer *request, struct bytes *out, struct err *err)
{
    struct reader answer;
    if (!keyd_call(keyd, owner, operation, request, &answer, err))
        return false;
    struct bytes field = wire_get_bytes(&answer, WIRE_MESSAGE_MAX);
    if (!keyd_answer_done(&answer, err))
        return false;
    *out = field;
    return true;
}
