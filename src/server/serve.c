/* SPDX-License-Identifier: Apache-2.0 */
#include "server/serve.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fleet/authority.h"
#include "http/listener.h"
#include "server/control.h"
#include "server/directories.h"
#include "server/edge_files.h"
#include "server/edge_plan.h"
#include "server/hung.h"
#include "server/sandbox.h"

#define KEYD_WAIT_MS 60000     /* the first start makes the keys of the authority */
#define KEYD_RETRY_MS 100      /* between two attempts */
#define CLAIM_RETRY_MS 500     /* between two attempts */
#define RENEW_MS (3600 * 1000) /* how often certificates are looked at */
#define HUNG_AGAIN_MS 5000     /* how often it is looked whether keyd has to be told of */
#define INNER_IDLE_SECONDS 90  /* well above EDGE_UPSTREAM_IDLE: the edge closes first */
_Static_assert(INNER_IDLE_SECONDS > 2 * EDGE_UPSTREAM_IDLE, "the edge must close first");

struct server {
    const struct options *options;
    struct house house;
    struct router *router;
    struct listener *listener;
    struct hung hung;
    int signals;
    bool is_stopping;
    bool must_reload;
    bool edge_is_up;        /* the supervisor said so */
    bool is_refused;        /* another server has the database, or it belongs to other keys */
    bool waits_for_claim;   /* it was lost */
    int64_t claim_deadline; /* monotonic ms; 0: nobody else was seen to have it */
};

static bool signals_open(struct server *server, struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return err_set(err, ERR_INTERNAL, "cannot set up signals: %m");
    server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return server->signals >= 0 || err_set(err, ERR_INTERNAL, "no signalfd: %m");
}

/* ---- the control socket ---- */

static void edge_set(struct server *server, bool is_up)
{
    server->edge_is_up = is_up;
    if (server->house.shared)
        fleet_reachable_set(server->house.shared, is_up);
}

/* Any thread. */
static void keyd_hung(void *context)
{
    log_event(LOG_ERROR, "server.keyd-hung", NULL);
    hung_tell(context);
}

static void control_take(struct server *server)
{
    enum control_word word;
    struct err err;
    int fd;
    if (!control_receive(CONTROL_FD, &word, &fd, &err)) {
        server->is_stopping = true; /* the supervisor is gone: so are we */
        return;
    }
    if (word == CONTROL_KEYD && fd >= 0) {
        keyd_replace(server->house.keyd, fd);
        log_event(LOG_INFO, "server.keyd-replaced", NULL);
        return;
    }
    if (fd >= 0)
        (void)close(fd);
    if (word == CONTROL_RELOAD)
        server->must_reload = true;
    if (word == CONTROL_EDGE_UP || word == CONTROL_EDGE_DOWN)
        edge_set(server, word == CONTROL_EDGE_UP);
}

static int claim_socket(const struct server *server)
{
    return server->house.claim ? database_claim_socket(server->house.claim) : -1;
}

/* Waits for a word, a signal, or the end of the claim. */
static void look(struct server *server, int64_t milliseconds)
{
    struct signalfd_siginfo info;
    struct pollfd polls[] = {{.fd = CONTROL_FD, .events = POLLIN},
                             {.fd = server->signals, .events = POLLIN},
                             {.fd = claim_socket(server), .events = POLLIN}};
    if (poll(polls, COUNT(polls), (int)milliseconds) <= 0)
        return;
    if (polls[0].revents)
        control_take(server);
    if (polls[1].revents && read(server->signals, &info, sizeof(info)) > 0)
        server->is_stopping = true;
}

/* ---- start ---- */

/* keyd may still be making its keys, or be restarted meanwhile. */
static bool keyd_wait(struct server *server, struct err *err)
{
    int64_t deadline = clock_monotonic_ms() + KEYD_WAIT_MS;
    while (!keyd_ping(server->house.keyd, err)) {
        if (server->is_stopping || clock_monotonic_ms() >= deadline)
            return err_context(err, "waiting for the key process");
        look(server, KEYD_RETRY_MS);
    }
    return true;
}

/* Somebody else has it: a predecessor's session may linger, but not for ever. True: try again. */
static bool claim_waits(struct server *server, const struct err *err)
{
    int64_t now = clock_monotonic_ms();
    if (err->kind != ERR_CONFLICT)
        return false;
    if (!server->claim_deadline)
        server->claim_deadline = now + server->options->claim_seconds * 1000;
    server->is_refused = now >= server->claim_deadline;
    return !server->is_refused && !server->is_stopping;
}

/* Before anything is read or migrated. */
static bool claim_open(void *owner, struct server *server, struct err *err)
{
    struct house *house = &server->house;
    while (!database_claim(owner, house->database, &house->claim, err)) {
        bool is_first = !server->claim_deadline;
        if (!claim_waits(server, err))
            return err_context(err, "claiming the database");
        if (is_first)
            log_err("server.claim-waits", err, NULL);
        look(server, CLAIM_RETRY_MS);
    }
    server->claim_deadline = 0;
    return true;
}

/* Another authority's keys: going on would lock every device out, and trying again does not help.
 */
static bool authority_check(struct server *server, struct err *err)
{
    struct house *house = &server->house;
    CLEANUP(mem_free_at) void *temporary = mem_text(NULL, "");
    struct fleet *fleet;
    if (!fleet_open(temporary, house->database, house->keyd, house->shared, &fleet, err))
        return false;
    if (fleet_authority_check(fleet, clock_now(), err))
        return true;
    server->is_refused = err->kind == ERR_PRECONDITION;
    return false;
}

static bool house_open(void *owner, struct server *server, struct err *err)
{
    struct house *house = &server->house;
    size_t count;
    house->options = server->options;
    if (!keyd_attach(owner, KEYD_FD_IN_SERVER, &house->keyd, err))
        return false;
    keyd_set_watch(house->keyd,
                   (struct keyd_watch){.patient = ((unsigned)server->options->workers + 1) / 2,
                                       .hung = keyd_hung,
                                       .context = &server->hung});
    if (!database_open(owner, server->options->database, &house->database, err) ||
        !claim_open(owner, server, err) || !database_migrate(house->database, err) ||
        !keyd_wait(server, err) || !wiring_open(owner, house, err) || !authority_check(server, err))
        return false;
    edge_set(server, server->edge_is_up);
    const struct routes *tables = wiring_tables(owner, &count);
    server->router = router_make(owner, tables, count);
    return true;
}

static bool listener_open(void *owner, struct server *server, struct err *err)
{
    const struct options *options = server->options;
    struct user_ids edge;
    if (!user_find(options->edge_user, &edge, err))
        return false;
    bool shares = edge.is_set && edge.user != geteuid();
    struct listener_socket sockets[] = {
        {.door = DOOR_FRONT, .path = edge_socket_path(owner, options, EDGE_FRONT)},
        {.door = DOOR_DEVICE, .path = edge_socket_path(owner, options, EDGE_DEVICE)},
        {.door = DOOR_PLAIN, .path = edge_socket_path(owner, options, EDGE_PLAIN)},
        {.door = DOOR_METRICS, .port = (int)options->metrics_port},
    };
    for (size_t i = 0; i < COUNT(sockets); i++) {
        if (!sockets[i].path)
            continue;
        sockets[i].trusts_edge = true;
        sockets[i].edge_uid = shares ? edge.user : 0;
        sockets[i].edge_group = shares ? edge.group : 0;
    }
    struct listener_settings listening = {
        .sockets = sockets,
        .socket_count = options->metrics_port ? COUNT(sockets) : COUNT(sockets) - 1,
        .router = server->router,
        .workers = (unsigned)options->workers,
        .queue_limit = (size_t)options->queue,
        .spool_directory = mem_format(owner, "%s/" DIRECTORY_DATABASE, options->data_dir),
        .idle_seconds = INNER_IDLE_SECONDS,
        .glancing = fleet_of_memory(owner, server->house.shared),
        .worker_start = wiring_worker_start,
        .worker_stop = wiring_worker_stop,
        .refused = wiring_refused,
        .context = &server->house,
    };
    return listener_start(owner, &listening, &server->listener, err);
}

/* ---- while it runs ---- */

/* A failure leaves the edge with what it has. */
static void edge_refresh(const struct server *server)
{
    struct err err;
    bool changed = false;
    if (!edge_files_write(&server->house, &changed, &err))
        log_err("server.edge-files", &err, NULL);
    else if (changed && !control_send(CONTROL_FD, CONTROL_EDGE_CHANGED, -1, &err))
        log_err("server.edge-ready", &err, NULL);
}

/*
 * PostgreSQL ended the session that holds the claim (it was restarted, or did not hear of us): from
 * that moment another server may work on the database.  Ours is shut to us until the claim is back;
 * whoever asks meanwhile gets 503.  If another server was quicker, we end.
 */
static void claim_watch(struct server *server)
{
    struct house *house = &server->house;
    struct err err;
    if (database_claim_holds(house->claim, &err))
        return;
    if (!server->waits_for_claim) {
        server->waits_for_claim = true;
        fleet_forget_all(house->shared);
        log_err("server.claim-lost", &err, NULL);
    }
    if (database_claim_again(house->claim, &err)) {
        log_event(LOG_INFO, "server.claim-regained", NULL);
        server->waits_for_claim = false;
        server->claim_deadline = 0;
        return;
    }
    if (err.kind == ERR_CONFLICT && !claim_waits(server, &err)) {
        log_err("server.claim", &err, NULL);
        server->is_stopping = true;
    }
}

static void loop(struct server *server)
{
    int64_t next = clock_monotonic_ms() + RENEW_MS;
    while (!server->is_stopping) {
        int64_t now = clock_monotonic_ms();
        if (server->must_reload || now >= next) {
            server->must_reload = false;
            next = now + RENEW_MS;
            edge_refresh(server);
        }
        claim_watch(server);
        hung_tell_again(&server->hung, keyd_is_hung(server->house.keyd));
        int64_t rest = next - now < HUNG_AGAIN_MS ? next - now : HUNG_AGAIN_MS;
        look(server, server->waits_for_claim ? CLAIM_RETRY_MS : rest);
    }
}

static bool start(void *owner, struct server *server, bool *changed, struct err *err)
{
    return signals_open(server, err) && sandbox_files(server->options, err) &&
           house_open(owner, server, err) && edge_files_write(&server->house, changed, err) &&
           (!*changed || edge_files_check(server->options, err)) && sandbox_calls(err) &&
           listener_open(owner, server, err);
}

/* A handler that does not end still uses what we would free: then the process just goes. */
static void stop(const struct server *server)
{
    if (!listener_stop(server->listener, (unsigned)server->options->stop_seconds))
        _exit(1);
}

static bool serve(void *owner, struct server *server, struct err *err)
{
    bool changed = false;
    if (!start(owner, server, &changed, err))
        return false;
    if (!wiring_jobs_start(owner, &server->house, err)) {
        stop(server);
        return false;
    }
    enum control_word word = changed ? CONTROL_EDGE_CHANGED : CONTROL_EDGE_READY;
    if (control_send(CONTROL_FD, word, -1, err)) {
        log_event(LOG_INFO, "server.ready", "version", MUSTER_VERSION, NULL);
        loop(server);
    }
    stop(server);
    wiring_jobs_stop(&server->house);
    log_event(LOG_INFO, "server.stopped", NULL);
    return true;
}

int serve_run(const struct options *options)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct server server = {.options = options, .hung = {.control = CONTROL_FD}, .signals = -1};
    struct err err;
    if (!serve(owner, &server, &err) && !server.is_stopping) {
        log_err("server.start", &err, NULL);
        return server.is_refused ? SERVE_REFUSED : 1;
    }
    return server.is_refused ? SERVE_REFUSED : 0;
}
