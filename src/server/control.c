/* SPDX-License-Identifier: Apache-2.0 */
#include "server/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control_room {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool control_send(int control, enum control_word word, int fd, struct err *err)
{
    uint32_t number = word;
    union control_room room = {.bytes = {0}};
    struct iovec part = {&number, sizeof(number)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof(room.bytes);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    }
    ssize_t sent;
    do
        sent = sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof(number) ||
           err_set(err, ERR_UNAVAILABLE, "the control socket does not take a word: %m");
}

static int fd_of(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

bool control_receive(int control, enum control_word *word, int *fd, struct err *err)
{
    uint32_t number = 0;
    union control_room room;
    struct iovec part = {&number, sizeof(number)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof(room.bytes)};
    ssize_t got = recvmsg(control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    *fd = -1;
    *word = 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the other side of the control socket is gone");
    *fd = fd_of(&message);
    if (got == (ssize_t)sizeof(number) && number >= CONTROL_KEYD && number <= CONTROL_KEYD_HUNG)
        *word = (enum control_word)number;
    return true;
}
