/* SPDX-License-Identifier: Apache-2.0 */
#include "server/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/control.h"

#define STEADY_MS 10000 /* running that long forgets earlier failures */

static const int64_t delays_ms[] = {50, 100, 200, 500, 1000, 2000, 5000, 10000};

/* ---- between fork and exec: this process is single-threaded, so everything may be called ---- */

static _Noreturn void give_up(const char *what)
{
    struct err err;
    (void)err_set(&err, ERR_INTERNAL, "%s: %m", what);
    log_err("supervisor.child", &err, NULL);
    _exit(127);
}

static void fds_place(const struct child_plan *plan)
{
    int high[CHILD_FDS_MAX];
    for (size_t i = 0; i < plan->fd_count; i++) /* out of the way of each other's places */
        high[i] = fcntl(plan->fds[i], F_DUPFD_CLOEXEC, CONTROL_FD + CHILD_FDS_MAX);
    for (size_t i = 0; i < plan->fd_count; i++)
        if (high[i] < 0 || dup2(high[i], CONTROL_FD + (int)i) < 0)
            give_up("placing descriptors");
}

/* The one right that a door on a port below 1024 needs; it stays with what is executed. */
static void low_ports_keep(void)
{
    const uint32_t right = 1U << CAP_NET_BIND_SERVICE;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct rights[2] = {
        {.effective = right, .permitted = right, .inheritable = right}};
    if (syscall(SYS_capset, &head, rights) != 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0)
        give_up("keeping the right to low ports");
}

static void user_become(const struct child_plan *plan)
{
    gid_t groups[] = {plan->user.group, plan->extra_group};
    if (!plan->user.is_set || geteuid() != 0)
        return;
    if (plan->binds_low_ports && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        give_up("keeping rights");
    if (setgroups(plan->extra_group ? 2 : 1, groups) != 0 ||
        setresgid(plan->user.group, plan->user.group, plan->user.group) != 0 ||
        setresuid(plan->user.user, plan->user.user, plan->user.user) != 0)
        give_up("becoming another user");
    if (plan->binds_low_ports)
        low_ports_keep();
}

static _Noreturn void run(const struct child_plan *plan, pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    if (setpgid(0, 0) != 0)
        give_up("own process group");
    fds_place(plan);
    user_become(plan);
    if (prctl(PR_SET_PDEATHSIG, plan->parent_death_signal) != 0 || getppid() != parent)
        give_up("parent-death signal"); /* or it died before that */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    struct err err;
    if (plan->confine && !plan->confine(plan->options, &err)) {
        log_err("supervisor.child", &err, NULL);
        _exit(127);
    }
    (void)execv(plan->program, (char *const *)(uintptr_t)plan->words);
    give_up(plan->program);
}

/* ---- in the supervisor ---- */

bool child_start(struct child *child, const struct child_plan *plan, int64_t now, struct err *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start %s: %m", child->name);
    if (pid == 0)
        run(plan, parent);
    (void)setpgid(pid, pid); /* whoever of the two is first */
    child->pid = pid;
    child->started_at = now;
    return true;
}

static void log_end(const struct child *child, int status)
{
    char code[32];
    (void)snprintf(code, sizeof(code), WIFSIGNALED(status) ? "signal %d" : "status %d",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    log_event(status == 0 ? LOG_INFO : LOG_WARN, "supervisor.ended", "child", child->name, "with",
              code, NULL);
}

void child_ended(struct child *child, int status, int64_t now)
{
    log_end(child, status);
    if (now - child->started_at >= STEADY_MS || status == 0)
        child->failures = 0;
    size_t delay = child->failures < COUNT(delays_ms) ? child->failures : COUNT(delays_ms) - 1;
    child->failures++;
    child->start_at = now + delays_ms[delay];
    child_signal_group(child, SIGKILL);
    child->old_group = child->pid;
    child->pid = 0;
}

bool child_may_start(struct child *child, int64_t now)
{
    if (child->pid || now < child->start_at)
        return false;
    if (child->old_group && kill(-child->old_group, 0) == 0) {
        child->start_at = now + delays_ms[0]; /* its members still hold our ports */
        return false;
    }
    child->old_group = 0;
    return true;
}

void child_signal(const struct child *child, int signal)
{
    if (child->pid)
        (void)kill(child->pid, signal);
}

void child_signal_group(const struct child *child, int signal)
{
    if (child->pid)
        (void)kill(-child->pid, signal);
}
