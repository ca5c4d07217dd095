/* SPDX-License-Identifier: Apache-2.0 */
#include "http/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/exchange.h"

/* Bytes for the head of a request and its reply's: 16 kB of lines that the edge lets through, and
 * the certificate behind them. MHD clears them all for each request, so that more costs time. */
#define CONNECTION_MEMORY 32768
#define CONNECTIONS_DEFAULT 1024 /* at once on one socket */
#define BACKLOG 512
#define LAST_REPLIES_MS 1000 /* for sending what was answered at the very end */

struct listener {
    struct listener_settings settings;
    struct door *doors;
    size_t door_count;
    struct workers *workers;
    atomic_size_t active;
    atomic_bool is_closing;
};

/* ---- sockets ---- */

static void fd_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
DEFINE_CLEANUP(int, fd_close)

/* The mode is set before the name exists, so that nobody gets in between. */
static bool unix_bind(int fd, const struct listener_socket *settings, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mode = settings->edge_group ? 0660 : 0600;
    size_t size = strlen(settings->path);
    if (size >= sizeof(address.sun_path))
        return err_set(err, ERR_BAD_INPUT, "the socket path %s is too long", settings->path);
    memcpy(address.sun_path, settings->path, size + 1);
    if (unlink(settings->path) != 0 && errno != ENOENT)
        return err_set(err, ERR_INTERNAL, "cannot remove the old %s: %m", settings->path);
    if (fchmod(fd, mode) != 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return err_set(err, ERR_INTERNAL, "cannot bind %s: %m", settings->path);
    if (settings->edge_group && (chown(settings->path, (uid_t)-1, settings->edge_group) != 0 ||
                                 chmod(settings->path, mode) != 0))
        return err_set(err, ERR_INTERNAL, "cannot give %s to the edge's group: %m", settings->path);
    return true;
}

static bool loopback_bind(int fd, struct door *door, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)door->settings.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int yes = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return err_set(err, ERR_INTERNAL, "cannot bind 127.0.0.1:%d: %m", door->settings.port);
    door->port = ntohs(address.sin_port);
    return true;
}

static bool socket_open(struct door *door, struct err *err)
{
    int family = door->settings.path ? AF_UNIX : AF_INET;
    CLEANUP(fd_close_at) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "cannot make a socket: %m");
    if (door->settings.path ? !unix_bind(fd, &door->settings, err) : !loopback_bind(fd, door, err))
        return false;
    if (listen(fd, BACKLOG) != 0)
        return err_set(err, ERR_INTERNAL, "cannot listen: %m");
    door->fd = fd;
    fd = -1;
    return true;
}

/* ---- libmicrohttpd ---- */

/* Whoever could open the socket must also be us or the edge. */
static bool peer_is_allowed(const struct door *door, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (!door->settings.path)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    return peer.uid == geteuid() ||
           (door->settings.edge_uid != 0 && peer.uid == door->settings.edge_uid);
}

/* What a stranger has sent already can be read behind the shutdown: exchange.c looks for the mark.
 */
static void connection_note(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (code != MHD_CONNECTION_NOTIFY_STARTED || !info ||
        peer_is_allowed(context, info->connect_fd))
        return;
    log_event(LOG_WARN, "http.foreign-peer", NULL);
    *socket_context = context;
    (void)shutdown(info->connect_fd, SHUT_RDWR);
}

static void PRINTF(2, 0) mhd_log(void *context, const char *format, va_list args)
{
    char text[256];
    (void)context;
    (void)vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    log_event(LOG_DEBUG, "http.library", "text", text, NULL);
}

static bool daemon_start(const struct listener *listener, struct door *door, struct err *err)
{
    const struct listener_settings *settings = &listener->settings;
    unsigned connections = settings->connections ? settings->connections : CONNECTIONS_DEFAULT;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)mhd_log, NULL}, /* before what may complain */
        {MHD_OPTION_LISTEN_SOCKET, door->fd, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_begin, door},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_end, door},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_note, door},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_seconds, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    door->daemon = MHD_start_daemon(flags, 0, NULL, NULL, exchange_go_on, door, MHD_OPTION_ARRAY,
                                    options, MHD_OPTION_END);
    if (!door->daemon)
        return err_set(err, ERR_INTERNAL, "libmicrohttpd does not start");
    return true;
}

/* ---- life ---- */

static bool services_start(void *context, void **state, struct err *err)
{
    struct listener *listener = context;
    const struct listener_settings *settings = &listener->settings;
    return !settings->worker_start || settings->worker_start(settings->context, state, err);
}

static void services_stop(void *context, void *state)
{
    struct listener *listener = context;
    if (listener->settings.worker_stop)
        listener->settings.worker_stop(listener->settings.context, state);
}

static void item_run(void *context, void *state, void *item)
{
    (void)context;
    exchange_run(state, item);
}

static void item_drop(void *context, void *item)
{
    (void)context;
    exchange_drop(item);
}

static void doors_fill(struct listener *listener)
{
    for (size_t i = 0; i < listener->door_count; i++)
        listener->doors[i] = (struct door){.settings = listener->settings.sockets[i],
                                           .router = listener->settings.router,
                                           .spool_directory = listener->settings.spool_directory,
                                           .workers = listener->workers,
                                           .glancing = listener->settings.glancing,
                                           .refused = listener->settings.refused,
                                           .context = listener->settings.context,
                                           .active = &listener->active,
                                           .is_closing = &listener->is_closing,
                                           .fd = -1};
}

static bool doors_open(struct listener *listener, struct err *err)
{
    for (size_t i = 0; i < listener->door_count; i++)
        if (!socket_open(&listener->doors[i], err) ||
            !daemon_start(listener, &listener->doors[i], err))
            return false;
    return true;
}

bool listener_start(void *owner, const struct listener_settings *settings, struct listener **out,
                    struct err *err)
{
    struct listener *listener = mem_new(owner, struct listener);
    listener->settings = *settings;
    listener->door_count = settings->socket_count;
    listener->doors = mem_array(listener, struct door, listener->door_count);
    struct workers_settings workers = {.count = settings->workers,
                                       .limit = settings->queue_limit,
                                       .start = services_start,
                                       .stop = services_stop,
                                       .run = item_run,
                                       .drop = item_drop,
                                       .context = listener};
    if (!workers_start(listener, &workers, &listener->workers, err)) {
        mem_free(listener);
        return false;
    }
    doors_fill(listener);
    if (!doors_open(listener, err)) {
        (void)listener_stop(listener, 0); /* nobody has asked anything yet */
        mem_free(listener);
        return false;
    }
    *out = listener;
    return true;
}

int listener_port(const struct listener *listener, size_t socket_index)
{
    return listener->doors[socket_index].port;
}

static void door_quiesce(struct door *door)
{
    if (door->fd < 0)
        return;
    if (door->daemon)
        (void)MHD_quiesce_daemon(door->daemon);
    fd_close(door->fd);
    door->fd = -1;
    if (door->settings.path)
        (void)unlink(door->settings.path);
}

static void active_wait(struct listener *listener, int64_t deadline)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    while (atomic_load(&listener->active) > 0 && clock_monotonic_ms() < deadline)
        (void)nanosleep(&pause, NULL);
}

bool listener_stop(struct listener *listener, unsigned seconds)
{
    int64_t deadline = clock_monotonic_ms() + (int64_t)seconds * 1000;
    atomic_store(&listener->is_closing, true);
    for (size_t i = 0; i < listener->door_count; i++)
        door_quiesce(&listener->doors[i]);
    active_wait(listener, deadline);
    if (!workers_stop(listener->workers, deadline)) {
        /* A suspended connection cannot be closed; the end of the process does it. */
        log_event(LOG_ERROR, "http.stop-incomplete", NULL);
        return false;
    }
    active_wait(listener, clock_monotonic_ms() + LAST_REPLIES_MS);
    for (size_t i = 0; i < listener->door_count; i++)
        if (listener->doors[i].daemon)
            MHD_stop_daemon(listener->doors[i].daemon);
    return true;
}
