/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/keyd_wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/mem.h"

#define WIRE_MORE 1
#define WIRE_ABSENT UINT32_MAX

void wire_u8(struct buffer *out, uint8_t value)
{
    buffer_byte(out, value);
}

void wire_u32(struct buffer *out, uint32_t value)
{
    const uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
                               (uint8_t)(value >> 8), (uint8_t)value};
    buffer_add(out, BYTES_OF(octets));
}

void wire_i64(struct buffer *out, int64_t value)
{
    wire_u32(out, (uint32_t)((uint64_t)value >> 32));
    wire_u32(out, (uint32_t)((uint64_t)value & UINT32_MAX));
}

void wire_bytes(struct buffer *out, struct bytes value)
{
    if (value.size > WIRE_MESSAGE_MAX) {
        out->failed = true;
        return;
    }
    wire_u32(out, (uint32_t)value.size);
    buffer_add(out, value);
}

void wire_text(struct buffer *out, const char *text)
{
    if (text)
        wire_bytes(out, bytes_text(text));
    else
        wire_u32(out, WIRE_ABSENT);
}

void wire_texts(struct buffer *out, const char *const *list)
{
    uint32_t count = 0;
    while (list && list[count])
        count++;
    wire_u32(out, count);
    for (uint32_t i = 0; i < count; i++)
        wire_text(out, list[i]);
}

int64_t wire_get_i64(struct reader *in)
{
    return (int64_t)reader_u64(in);
}

struct bytes wire_get_bytes(struct reader *in, size_t limit)
{
    uint32_t size = reader_u32(in);
    if (size > limit)
        in->failed = true;
    return reader_take(in, size);
}

const char *wire_get_text(void *owner, struct reader *in, size_t limit)
{
    struct reader ahead = *in;
    if (reader_u32(&ahead) == WIRE_ABSENT) {
        *in = ahead;
        return NULL;
    }
    struct bytes bytes = wire_get_bytes(in, limit);
    char *text = reader_ok(in) ? bytes_to_text(owner, bytes) : NULL;
    if (!text)
        in->failed = true;
    return text;
}

const char *const *wire_get_texts(void *owner, struct reader *in, size_t count_limit, size_t limit)
{
    uint32_t count = reader_u32(in);
    if (count > count_limit)
        in->failed = true;
    if (!reader_ok(in))
        count = 0;
    const char **list = mem_array(owner, const char *, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = wire_get_text(list, in, limit);
        if (!list[i])
            in->failed = true;
    }
    return list;
}

/* ---- messages ---- */

static bool send_frame(int fd, const struct wire_head *head, bool more, struct bytes part,
                       struct err *err)
{
    uint8_t octets[WIRE_HEAD_SIZE] = {WIRE_VERSION,
                                      head->operation,
                                      more ? WIRE_MORE : 0,
                                      head->status,
                                      (uint8_t)(head->id >> 24),
                                      (uint8_t)(head->id >> 16),
                                      (uint8_t)(head->id >> 8),
                                      (uint8_t)head->id};
    union { /* sendmsg does not write through iov_base */
        const uint8_t *read_only;
        void *plain;
    } data = {.read_only = part.data};
    struct iovec pieces[2] = {{octets, sizeof(octets)}, {data.plain, part.size}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return err_set(err, ERR_UNAVAILABLE, "the key process does not take requests");
    return true;
}

bool wire_send(int fd, const struct wire_head *head, struct bytes payload, struct err *err)
{
    const size_t room = WIRE_FRAME_MAX - WIRE_HEAD_SIZE;
    if (payload.size > WIRE_MESSAGE_MAX)
        return err_set(err, ERR_TOO_LARGE, "message exceeds %zu bytes", WIRE_MESSAGE_MAX);
    size_t at = 0;
    do {
        size_t size = payload.size - at < room ? payload.size - at : room;
        bool more = at + size < payload.size;
        struct bytes part = {size ? payload.data + at : NULL, size};
        if (!send_frame(fd, head, more, part, err))
            return false;
        at += size;
    } while (at < payload.size);
    return true;
}

static bool wait_readable(int fd, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_monotonic_ms();
        if (deadline_ms >= 0 && left < 0)
            return err_set(err, ERR_UNAVAILABLE, "the key process did not answer in time");
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, left > WIRE_TIMEOUT_MS ? WIRE_TIMEOUT_MS : (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "waiting for the key process failed");
    }
}

static bool receive_frame(int fd, int64_t deadline_ms, uint8_t *frame, size_t *size,
                          struct err *err)
{
    if (!wait_readable(fd, deadline_ms, err))
        return false;
    struct iovec piece = {frame, WIRE_FRAME_MAX};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    ssize_t got;
    do { /* no room for descriptors is given: any that are sent are closed by the kernel */
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the key process is gone");
    *size = (size_t)got;
    if (message.msg_flags & MSG_TRUNC)
        *size = 0; /* longer than any frame may be: no frame at all */
    return true;
}

struct frame {
    struct wire_head head;
    bool more;
    struct bytes part;
};

static bool frame_parse(struct bytes in, struct frame *out)
{
    struct reader reader = reader_of(in);
    uint8_t version = reader_u8(&reader);
    out->head.operation = reader_u8(&reader);
    uint8_t flags = reader_u8(&reader);
    out->head.status = reader_u8(&reader);
    out->head.id = reader_u32(&reader);
    out->more = flags & WIRE_MORE;
    out->part = reader_take(&reader, reader_left(&reader));
    return reader_ok(&reader) && version == WIRE_VERSION && (flags & ~WIRE_MORE) == 0;
}

static bool same_head(const struct wire_head *a, const struct wire_head *b)
{
    return a->operation == b->operation && a->status == b->status && a->id == b->id;
}

bool wire_receive(int fd, int64_t timeout_ms, struct wire_head *head, struct buffer *payload,
                  struct err *err)
{
    CLEANUP(mem_free_at) uint8_t *memory = mem_array(NULL, uint8_t, WIRE_FRAME_MAX);
    int64_t deadline = timeout_ms < 0 ? -1 : clock_monotonic_ms() + timeout_ms;
    struct frame frame = {0};
    *head = (struct wire_head){0};
    bool good = true;
    for (bool first = true; first || frame.more; first = false) {
        size_t size = 0;
        if (!receive_frame(fd, deadline, memory, &size, err))
            return false;
        deadline = deadline < 0 ? clock_monotonic_ms() + WIRE_TIMEOUT_MS : deadline;
        frame = (struct frame){0};
        good = frame_parse((struct bytes){memory, size}, &frame) && good;
        if (first)
            *head = frame.head;
        good = good && same_head(head, &frame.head);
        if (good)
            buffer_add(payload, frame.part);
        bytes_wipe(memory, size);
        if (!good)
            return err_set(err, ERR_BAD_INPUT, "the frames make no message");
    }
    if (payload->failed)
        return err_set(err, ERR_TOO_LARGE, "message exceeds %zu bytes", payload->limit);
    return true;
}
