/* SPDX-License-Identifier: Apache-2.0 */
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/advice.h"
#include "server/child.h"
#include "server/control.h"
#include "server/directories.h"
#include "server/leftovers.h"
#include "server/ports.h"
#include "server/sandbox.h"
#include "server/serve.h"

#define EDGE_STOP_MS 35000   /* above the edge's own worker_shutdown_timeout */
#define SERVER_SLACK_MS 5000 /* above the server's stop_seconds */
#define KEYD_STOP_MS 5000
#define LOOK_MS 1000 /* at least this often */
#define EDGE_LOOK_MS 100
#define PORTS_MS 10000 /* for what a killed one of us still holds */

enum child_index { CHILD_KEYD, CHILD_SERVER, CHILD_EDGE, CHILD_COUNT };

struct supervisor {
    const struct options *options;
    struct child children[CHILD_COUNT];
    struct user_ids user, edge_user;
    int signals;  /* signalfd */
    int settings; /* a file without a name: what we were configured with */
    int control;  /* our end of the server's control socket, or -1 */
    int keyd_end; /* the server's end of keyd's socket until it is handed over, or -1 */
    struct house_locks locks;
    bool edge_ready;  /* the server has written its files */
    int edge_told;    /* what the server knows of the edge: enum control_word, or 0 */
    bool is_stopping; /* in order: edge, server, keyd */
    bool is_hurried;  /* asked twice: no more waiting */
    bool is_refused;  /* the server may not work on its database */
    enum child_index stop_next;
    int64_t stop_deadline; /* of the child being stopped; 0: not yet asked */
};

static void fd_drop(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static bool pair_make(int ends[2], struct err *err)
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ||
           err_set(err, ERR_UNAVAILABLE, "cannot make a socketpair: %m");
}

/* ---- starting ---- */

/* The same program in another role, with the same options. */
static struct child_plan plan_role(const char *role, const char *settings)
{
    return (struct child_plan){.program = "/proc/self/exe",
                               .words = {"musterd", role, "--config", settings},
                               .parent_death_signal = SIGTERM};
}

static bool keyd_start(struct supervisor *supervisor, int64_t now, struct err *err)
{
    struct child_plan plan = plan_role("keyd", SETTINGS_IN_KEYD);
    int ends[2];
    if (!pair_make(ends, err))
        return false;
    plan.fds[plan.fd_count++] = ends[1];
    plan.fds[plan.fd_count++] = supervisor->locks.children;
    plan.fds[plan.fd_count++] = supervisor->settings;
    bool started = child_start(&supervisor->children[CHILD_KEYD], &plan, now, err);
    (void)close(ends[1]);
    fd_drop(&supervisor->keyd_end);
    supervisor->keyd_end = ends[0];
    if (!started)
        fd_drop(&supervisor->keyd_end);
    return started;
}

static bool server_start(struct supervisor *supervisor, int64_t now, struct err *err)
{
    struct child_plan plan = plan_role("server", SETTINGS_IN_SERVER);
    int ends[2];
    if (!pair_make(ends, err))
        return false;
    plan.user = supervisor->user;
    plan.extra_group = supervisor->edge_user.group;
    plan.fds[plan.fd_count++] = ends[1];
    plan.fds[plan.fd_count++] = supervisor->keyd_end;
    plan.fds[plan.fd_count++] = supervisor->locks.children;
    plan.fds[plan.fd_count++] = supervisor->settings;
    bool started = child_start(&supervisor->children[CHILD_SERVER], &plan, now, err);
    (void)close(ends[1]);
    fd_drop(&supervisor->control);
    supervisor->control = ends[0];
    supervisor->edge_told = 0;
    fd_drop(&supervisor->keyd_end); /* now only the server's: keyd sees its end */
    return started;
}

static bool edge_start(struct supervisor *supervisor, int64_t now, struct err *err)
{
    const struct options *options = supervisor->options;
    CLEANUP(mem_free_at) char *tmp = options_run_path(NULL, options, DIRECTORY_EDGE_TMP);
    CLEANUP(mem_free_at) char *file = options_run_path(NULL, options, DIRECTORY_EDGE "/nginx.conf");
    struct child_plan plan = {.program = options->edge_program,
                              .words = {"nginx", "-e", "stderr", "-p", tmp, "-c", file},
                              .user = supervisor->edge_user.is_set ? supervisor->edge_user
                                                                   : supervisor->user,
                              .parent_death_signal = SIGTERM,
                              .binds_low_ports = options_want_low_ports(options),
                              .confine = sandbox_edge,
                              .options = options};
    return child_start(&supervisor->children[CHILD_EDGE], &plan, now, err);
}

/* Before the first edge: what a killed supervisor and a killed master left. */
static void edge_clear(const struct supervisor *supervisor)
{
    const struct user_ids *edge =
        supervisor->edge_user.is_set ? &supervisor->edge_user : &supervisor->user;
    CLEANUP(mem_free_at)
    char *file = options_run_path(NULL, supervisor->options, DIRECTORY_EDGE_TMP "/nginx.pid");
    leftovers_end(file, edge->is_set ? edge->user : geteuid());
}

static bool is_wanted(const struct supervisor *supervisor, enum child_index index)
{
    switch (index) {
    case CHILD_KEYD: return true;
    case CHILD_SERVER: return supervisor->keyd_end >= 0;
    case CHILD_EDGE:
        return supervisor->edge_ready && supervisor->options->edge_mode == EDGE_MODE_EMBEDDED;
    case CHILD_COUNT: break;
    }
    return false;
}

static void start_missing(struct supervisor *supervisor)
{
    static bool (*const starts[])(struct supervisor *, int64_t, struct err *) = {
        [CHILD_KEYD] = keyd_start, [CHILD_SERVER] = server_start, [CHILD_EDGE] = edge_start};
    int64_t now = clock_monotonic_ms();
    for (enum child_index i = 0; i < CHILD_COUNT; i++) {
        struct child *child = &supervisor->children[i];
        struct err err;
        if (!is_wanted(supervisor, i) || !child_may_start(child, now))
            continue;
        if (starts[i](supervisor, now, &err)) {
            log_event(LOG_INFO, "supervisor.started", "child", child->name, NULL);
            continue;
        }
        log_err("supervisor.start", &err, "child", child->name, NULL);
        child->start_at = now + LOOK_MS;
    }
}

/* A server that runs gets the new keyd's socket; one that starts later finds it open. */
static void keyd_hand_over(struct supervisor *supervisor)
{
    struct err err;
    if (supervisor->keyd_end < 0 || supervisor->control < 0 ||
        !supervisor->children[CHILD_SERVER].pid)
        return;
    if (control_send(supervisor->control, CONTROL_KEYD, supervisor->keyd_end, &err))
        fd_drop(&supervisor->keyd_end);
    else
        log_err("supervisor.hand-over", &err, NULL); /* the server is on its way out */
}

/* nginx writes its number when its ports are open. */
static bool edge_is_up(const struct supervisor *supervisor)
{
    pid_t pid = supervisor->children[CHILD_EDGE].pid;
    CLEANUP(mem_free_at)
    char *file = options_run_path(NULL, supervisor->options, DIRECTORY_EDGE_TMP "/nginx.pid");
    return supervisor->options->edge_mode == EDGE_MODE_EXTERNAL ||
           (pid && pid_file_read(file) == pid);
}

static void edge_tell(struct supervisor *supervisor)
{
    struct err err;
    enum control_word word = edge_is_up(supervisor) ? CONTROL_EDGE_UP : CONTROL_EDGE_DOWN;
    if (supervisor->control < 0 || supervisor->edge_told == (int)word)
        return;
    if (control_send(supervisor->control, word, -1, &err))
        supervisor->edge_told = (int)word;
}

/* ---- what happens ---- */

static void stop_begin(struct supervisor *supervisor)
{
    if (supervisor->is_stopping) {
        supervisor->is_hurried = true;
        return;
    }
    log_event(LOG_INFO, "supervisor.stopping", NULL);
    supervisor->is_stopping = true;
    supervisor->stop_next = CHILD_EDGE;
}

/* Starting it again and again would only hide why: who watches us shall see that we ended. */
static void refused(struct supervisor *supervisor)
{
    supervisor->is_refused = true;
    log_event(LOG_ERROR, "supervisor.refused", "child", "server", "reason",
              "its last line says why", NULL);
    if (!supervisor->is_stopping)
        stop_begin(supervisor);
}

static void ended(struct supervisor *supervisor, enum child_index index, int status)
{
    struct child *child = &supervisor->children[index];
    child_ended(child, status, clock_monotonic_ms());
    if (index == CHILD_KEYD)
        fd_drop(&supervisor->keyd_end); /* the other end of nothing */
    if (index != CHILD_SERVER)
        return;
    fd_drop(&supervisor->control);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SERVE_REFUSED)
        refused(supervisor);
    /* keyd served that server alone: a new pair of sockets comes with a new keyd. */
    if (supervisor->keyd_end < 0)
        child_signal(&supervisor->children[CHILD_KEYD], SIGTERM);
}

/* Orphans of the edge come to us too. */
static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (enum child_index i = 0; i < CHILD_COUNT; i++)
            if (supervisor->children[i].pid == pid)
                ended(supervisor, i, status);
}

static void reload(struct supervisor *supervisor)
{
    struct err err;
    if (supervisor->control >= 0 && !supervisor->is_stopping &&
        !control_send(supervisor->control, CONTROL_RELOAD, -1, &err))
        log_err("supervisor.reload", &err, NULL);
}

static void signals_take(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(supervisor);
        else if (info.ssi_signo == SIGHUP)
            reload(supervisor);
        else
            stop_begin(supervisor);
    }
}

/* From the server: the edge's files are there, or keyd does not answer. */
static void control_take(struct supervisor *supervisor)
{
    enum control_word word;
    struct err err;
    int fd;
    if (!control_receive(supervisor->control, &word, &fd, &err)) {
        fd_drop(&supervisor->control); /* its end comes as SIGCHLD */
        return;
    }
    fd_drop(&fd);
    if (word == CONTROL_KEYD_HUNG) {
        log_event(LOG_ERROR, "supervisor.hung", "child", "keyd", NULL);
        child_signal(&supervisor->children[CHILD_KEYD], SIGKILL);
    }
    if (word != CONTROL_EDGE_READY && word != CONTROL_EDGE_CHANGED)
        return;
    supervisor->edge_ready = true;
    if (word == CONTROL_EDGE_CHANGED)
        child_signal(&supervisor->children[CHILD_EDGE], SIGHUP);
}

/* ---- stopping ---- */

static int64_t patience_of(const struct supervisor *supervisor, enum child_index index)
{
    const int64_t patience[] = {[CHILD_KEYD] = KEYD_STOP_MS,
                                [CHILD_SERVER] =
                                    supervisor->options->stop_seconds * 1000 + SERVER_SLACK_MS,
                                [CHILD_EDGE] = EDGE_STOP_MS};
    return supervisor->is_hurried ? 0 : patience[index];
}

/* One step of the stop; false when all is down. */
static bool stop_step(struct supervisor *supervisor)
{
    static const int polite[] = {
        [CHILD_KEYD] = SIGTERM, [CHILD_SERVER] = SIGTERM, [CHILD_EDGE] = SIGQUIT};
    int64_t now = clock_monotonic_ms();
    for (;;) {
        enum child_index index = supervisor->stop_next;
        const struct child *child = &supervisor->children[index];
        if (child->pid) {
            if (!supervisor->stop_deadline) {
                child_signal(child, polite[index]);
                supervisor->stop_deadline = now + patience_of(supervisor, index);
            } else if (now >= supervisor->stop_deadline || supervisor->is_hurried) {
                child_signal_group(child, SIGKILL);
            }
            return true;
        }
        supervisor->stop_deadline = 0;
        if (index == CHILD_KEYD)
            return false;
        supervisor->stop_next = (enum child_index)(index - 1);
    }
}

/* ---- the loop ---- */

static int wait_ms(const struct supervisor *supervisor)
{
    int64_t now = clock_monotonic_ms(), until = now + LOOK_MS;
    if (supervisor->children[CHILD_EDGE].pid && supervisor->edge_told != CONTROL_EDGE_UP)
        until = now + EDGE_LOOK_MS; /* its ports open at any moment */
    for (enum child_index i = 0; i < CHILD_COUNT; i++) {
        const struct child *child = &supervisor->children[i];
        if (!child->pid && is_wanted(supervisor, i) && child->start_at < until)
            until = child->start_at;
    }
    return until <= now ? 1 : (int)(until - now);
}

static void loop(struct supervisor *supervisor)
{
    for (;;) {
        if (!supervisor->is_stopping)
            start_missing(supervisor);
        else if (!stop_step(supervisor))
            return;
        keyd_hand_over(supervisor);
        edge_tell(supervisor);
        struct pollfd polls[] = {{.fd = supervisor->signals, .events = POLLIN},
                                 {.fd = supervisor->control, .events = POLLIN}};
        (void)poll(polls, COUNT(polls), wait_ms(supervisor));
        if (polls[1].revents && supervisor->control >= 0)
            control_take(supervisor);
        if (polls[0].revents)
            signals_take(supervisor);
    }
}

static bool signals_open(struct supervisor *supervisor, struct err *err)
{
    static const int list[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < COUNT(list); i++)
        (void)sigaddset(&set, list[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "cannot block signals: %m");
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals >= 0 || err_set(err, ERR_INTERNAL, "no signalfd: %m");
}

/* The file that the children read: it has no name, and is as we read it, whenever they start. */
static bool settings_make(struct supervisor *supervisor, struct err *err)
{
    CLEANUP(mem_free_at) char *text = options_render(NULL, supervisor->options);
    supervisor->settings = memfd_create("muster-settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (supervisor->settings < 0 ||
        write(supervisor->settings, text, strlen(text)) != (ssize_t)strlen(text) ||
        fcntl(supervisor->settings, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return err_set(err, ERR_INTERNAL, "cannot hand on the settings: %m");
    return true;
}

/* For all processes: a connection of the edge is a descriptor or two, a unit's soft limit is 1024.
 */
static void files_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void advise(const struct options *options)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    const char *const *advice = advice_list(scratch, options);
    for (size_t i = 0; advice[i]; i++)
        log_event(LOG_WARN, "supervisor.advice", "advice", advice[i], NULL);
}

static bool prepare(struct supervisor *supervisor, struct err *err)
{
    const struct options *options = supervisor->options;
    (void)umask(027);
    /* Workers of a killed edge must become ours, so that we see their end. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return err_set(err, ERR_INTERNAL, "cannot adopt orphans: %m");
    files_raise();
    advise(options);
    return user_find(options->user, &supervisor->user, err) &&
           user_find(options->edge_user, &supervisor->edge_user, err) &&
           settings_make(supervisor, err) && directories_make(options, &supervisor->locks, err) &&
           signals_open(supervisor, err);
}

int supervisor_run(const struct options *options)
{
    struct supervisor supervisor = {.options = options,
                                    .children = {[CHILD_KEYD] = {.name = "keyd"},
                                                 [CHILD_SERVER] = {.name = "server"},
                                                 [CHILD_EDGE] = {.name = "edge"}},
                                    .signals = -1,
                                    .settings = -1,
                                    .control = -1,
                                    .keyd_end = -1};
    struct err err;
    if (!prepare(&supervisor, &err)) {
        log_err("supervisor.start", &err, NULL);
        return 1;
    }
    edge_clear(&supervisor);
    if (!ports_wait(options, PORTS_MS, &err)) { /* else they would fail for ever, one by one */
        log_err("supervisor.start", &err, NULL);
        return 1;
    }
    loop(&supervisor);
    log_event(LOG_INFO, "supervisor.stopped", NULL);
    return supervisor.is_refused;
}
