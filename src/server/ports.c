/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge.h"

#define AGAIN_MS 200

union endpoint {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t endpoint_make(const char *address, int64_t port, union endpoint *out)
{
    in_port_t number = htons((uint16_t)port);
    *out = (union endpoint){.six = {.sin6_family = AF_INET6, .sin6_port = number}};
    if (inet_pton(AF_INET6, address, &out->six.sin6_addr) == 1)
        return sizeof(out->six);
    *out = (union endpoint){.four = {.sin_family = AF_INET, .sin_port = number}};
    return inet_pton(AF_INET, address, &out->four.sin_addr) == 1 ? sizeof(out->four) : 0;
}

/* Bound and let go; whoever listens there already keeps us from it, whoever did does not. */
static bool is_taken(const char *address, int64_t port)
{
    union endpoint endpoint;
    const int yes = 1;
    socklen_t size = endpoint_make(address, port, &endpoint);
    int fd = size ? socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (endpoint.any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
    bool taken = bind(fd, &endpoint.any, size) != 0 && errno == EADDRINUSE;
    (void)close(fd);
    return taken;
}

static bool door_check(const char *section, const char *addresses, int64_t port, struct err *err)
{
    char address[EDGE_ADDRESS_SIZE];
    while (edge_address_next(&addresses, address)) {
        if (!is_taken(address, port))
            continue;
        (void)err_set(err, ERR_PRECONDITION, "another program listens at port %lld of %s",
                      (long long)port, address);
        err->remedy = "stop it, or choose another port";
        return err_context(err, "[%s]", section);
    }
    return true;
}

bool ports_check(const struct options *options, struct err *err)
{
    if (options->metrics_port && !door_check("metrics", "127.0.0.1", options->metrics_port, err))
        return false;
    return options->edge_mode == EDGE_MODE_EXTERNAL ||
           (door_check("front", options->front_address, options->front_port, err) &&
            door_check("device", options->device_address, options->device_port, err) &&
            door_check("plain", options->plain_address, options->plain_port, err));
}

bool ports_wait(const struct options *options, int64_t milliseconds, struct err *err)
{
    int64_t until = clock_monotonic_ms() + milliseconds;
    while (!ports_check(options, err)) {
        if (clock_monotonic_ms() >= until)
            return false;
        (void)usleep(AGAIN_MS * 1000);
    }
    return true;
}
