/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool loopback_listen(int64_t port, int *out, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 128) != 0) {
        int why = errno;
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, ERR_UNAVAILABLE, "listening on port %d: %s", (int)port, strerror(why));
    }
    *out = fd;
    return true;
}

int loopback_port(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);
    (void)getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}
