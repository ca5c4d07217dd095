/* SPDX-License-Identifier: Apache-2.0 */
#include "server/directories.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define LEFTOVER_SLACK_MS 10000 /* above the server's stop_seconds */

DEFINE_CLEANUP(DIR *, closedir)

static void fd_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
DEFINE_CLEANUP(int, fd_close)

struct plan {
    const char *name; /* in its parent */
    mode_t mode;
    struct user_ids owner;
    unsigned group; /* 0: the owner's */
};

static int directory_open(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool parents_make(const char *path, struct err *err)
{
    CLEANUP(mem_free_at) char *parent = mem_text(NULL, path);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(parent, 0755) != 0 && errno != EEXIST)
            return err_set(err, ERR_PRECONDITION, "cannot make %s: %m", parent);
        *slash = '/';
    }
    return true;
}

/*
 * Only root can give a directory away; others have only themselves.  All by one descriptor, and
 * never what belongs to a third one: a name may have been put there to make us give away
 * something else.
 */
static bool directory_take(int parent, const struct plan *plan, int *out, struct err *err)
{
    const struct user_ids *owner = &plan->owner;
    struct stat info;
    if (mkdirat(parent, plan->name, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_PRECONDITION, "cannot make %s: %m", plan->name);
    CLEANUP(fd_close_at) int fd = directory_open(parent, plan->name);
    if (fd < 0 || fstat(fd, &info) != 0)
        return err_set(err, ERR_PRECONDITION, "%s is not a directory of musterd's: %m", plan->name);
    if (info.st_uid != geteuid() && !(owner->is_set && info.st_uid == owner->user))
        return err_set(err, ERR_PRECONDITION,
                       "%s belongs to the user %u: it must belong to the one that starts musterd",
                       plan->name, info.st_uid);
    if (geteuid() == 0 && owner->is_set &&
        fchown(fd, owner->user, plan->group ? plan->group : owner->group) != 0)
        return err_set(err, ERR_PRECONDITION, "cannot give %s away: %m", plan->name);
    if (fchmod(fd, plan->mode) != 0)
        return err_set(err, ERR_PRECONDITION, "cannot set the mode of %s: %m", plan->name);
    *out = fd;
    fd = -1;
    return true;
}

/* Whoever may rename one of the directories above could put another in its place. */
static bool ancestors_check(const char *path, int fd, struct err *err)
{
    struct stat below, info;
    CLEANUP(fd_close_at) int at = directory_open(fd, "..");
    if (fstat(fd, &below) != 0)
        return err_set(err, ERR_PRECONDITION, "cannot look at %s: %m", path);
    for (;;) {
        if (at < 0 || fstat(at, &info) != 0)
            return err_set(err, ERR_PRECONDITION, "cannot look above %s: %m", path);
        bool is_shared = info.st_mode & (S_IWGRP | S_IWOTH) && !(info.st_mode & S_ISVTX);
        if (info.st_uid != 0 || is_shared)
            return err_set(err, ERR_PRECONDITION,
                           "a directory above %s can be changed by others than root", path);
        if (info.st_ino == below.st_ino && info.st_dev == below.st_dev)
            return true;
        below = info;
        int next = directory_open(at, "..");
        fd_close(at);
        at = next;
    }
}

static bool is_parted(const struct options *options)
{
    return geteuid() == 0 && (*options->user || *options->keyd_user || *options->edge_user);
}

/* data_dir and run_dir: of the starting user, so that nobody else can exchange what is in them. */
static bool base_take(const struct options *options, const char *path, int *out, struct err *err)
{
    const struct plan plan = {.name = path, .mode = is_parted(options) ? 0711 : 0700};
    CLEANUP(fd_close_at) int fd = -1;
    if (!parents_make(path, err) || !directory_take(AT_FDCWD, &plan, &fd, err) ||
        (is_parted(options) && !ancestors_check(path, fd, err)))
        return false;
    *out = fd;
    fd = -1;
    return true;
}

static bool inside_make(const char *base, int parent, const struct plan *plans, size_t count,
                        struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(fd_close_at) int fd = -1;
        if (!directory_take(parent, &plans[i], &fd, err))
            return err_context(err, "%s", base);
    }
    return true;
}

static bool sockets_remove(int run, struct err *err)
{
    int fd = directory_open(run, DIRECTORY_SOCKETS);
    CLEANUP(closedir_at) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    if (!directory) {
        fd_close(fd);
        return err_set(err, ERR_PRECONDITION, "cannot read the directory of the sockets: %m");
    }
    while ((entry = readdir(directory))) {
        if (entry->d_type == DT_SOCK && unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            return err_set(err, ERR_PRECONDITION, "cannot remove the socket %s: %m", entry->d_name);
    }
    return true;
}

/* Tries until the deadline (monotonic milliseconds). */
static bool lock_take(const char *data_dir, const char *name, int64_t deadline, int *lock,
                      struct err *err)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s", data_dir, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, ERR_PRECONDITION, "cannot open %s: %m", path);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (clock_monotonic_ms() >= deadline) {
            (void)close(fd);
            return err_set(err, ERR_CONFLICT, "another musterd runs on %s", data_dir);
        }
        (void)nanosleep(&pause, NULL);
    }
    *lock = fd;
    return true;
}

/* A killed supervisor leaves a server that still finishes its work: two of them at once would take
 * each other's sockets away. */
static bool locks_take(const struct options *options, struct house_locks *locks, struct err *err)
{
    int64_t patience = options->stop_seconds * 1000 + LEFTOVER_SLACK_MS;
    return lock_take(options->data_dir, "lock", 0, &locks->supervisor, err) &&
           (lock_take(options->data_dir, "lock.children", clock_monotonic_ms() + patience,
                      &locks->children, err) ||
            err_context(err, "processes of the last one do not end"));
}

bool directories_check(const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    const char *here = options->data_dir;
    const char *before = mem_format(scratch, "%s/" DATABASE_FILE, here);
    const char *now = mem_format(scratch, "%s/" DIRECTORY_DATABASE "/" DATABASE_FILE, here);
    if (!text_equal(options->database, mem_format(scratch, "sqlite:%s", now)) ||
        access(before, F_OK) != 0 || access(now, F_OK) == 0)
        return true;
    return err_set(err, ERR_PRECONDITION,
                   "the database of an earlier version lies in %s; move it: mkdir -p -m 0700 "
                   "%s/" DIRECTORY_DATABASE " && mv %s/" DATABASE_FILE "* %s/" DIRECTORY_DATABASE
                   "/",
                   here, here, here, here);
}

bool directories_make(const struct options *options, struct house_locks *locks, struct err *err)
{
    struct user_ids user, edge, keyd;
    CLEANUP(fd_close_at) int data = -1;
    CLEANUP(fd_close_at) int run = -1;
    if (!directories_check(options, err) || !user_find(options->user, &user, err) ||
        !user_find(options->edge_user, &edge, err) || !user_find(options->keyd_user, &keyd, err) ||
        !base_take(options, options->data_dir, &data, err) ||
        !base_take(options, options->run_dir, &run, err))
        return false;
    /* an edge that is somebody else must get at its files and the sockets */
    bool shares = edge.is_set && edge.user != (user.is_set ? user.user : geteuid());
    mode_t mode = shares ? 02750 : 0700;
    unsigned group = shares ? edge.group : 0;
    const struct plan in_data[] = {
        {DIRECTORY_DATABASE, 0700, user, 0},
        {DIRECTORY_KEYS, 0700, keyd, 0},
    };
    const struct plan in_run[] = {
        {DIRECTORY_EDGE, mode, user, group},
        {DIRECTORY_SOCKETS, mode, user, group},
        {DIRECTORY_EDGE_TMP, 0700, edge.is_set ? edge : user, 0},
    };
    return locks_take(options, locks, err) &&
           inside_make(options->data_dir, data, in_data, COUNT(in_data), err) &&
           inside_make(options->run_dir, run, in_run, COUNT(in_run), err) &&
           sockets_remove(run, err);
}
