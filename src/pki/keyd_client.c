/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keyd_client.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct keyd {
    pthread_mutex_t turn; /* held during a call: one request is under way at a time */
    pthread_mutex_t end;  /* guards fd and spare, so that replacing can wake a waiting call */
    int fd;               /* -1: keyd is gone */
    int spare;            /* the end to use from the next call on, or -1 */
    uint32_t last_id;
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

void keyd_replace(struct keyd *keyd, int fd)
{
    limit_sending(fd);
    (void)pthread_mutex_lock(&keyd->end);
    if (keyd->spare >= 0)
        (void)close(keyd->spare);
    keyd->spare = fd;
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

static bool exchange(struct keyd *keyd, enum keyd_operation operation, struct bytes request,
                     struct wire_head *head, struct buffer *payload, struct err *err)
{
    int fd = take_end(keyd);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "the key process is gone");
    struct wire_head ask = {.operation = (uint8_t)operation, .id = ++keyd->last_id};
    return wire_send(fd, &ask, request, err) && answer_receive(fd, ask.id, head, payload, err);
}

static bool take_turn(struct keyd *keyd, struct err *err)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WIRE_TIMEOUT_MS / 1000;
    if (pthread_mutex_clocklock(&keyd->turn, CLOCK_MONOTONIC, &until) != 0)
        return err_set(err, ERR_UNAVAILABLE, "the key process is busy");
    return true;
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
    (void)pthread_mutex_unlock(&keyd->turn);
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
