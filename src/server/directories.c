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

#define LEFTOVER_SLACK_MS 10000 /* above the server's stop_seconds */

DEFINE_CLEANUP(DIR *, closedir)

struct plan {
    const char *path;
    mode_t mode;
    struct user_ids owner;
    unsigned group; /* 0: the owner's */
};

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

/* Only root can give a directory away; others have only themselves. */
static bool directory_make(const struct plan *plan, struct err *err)
{
    if (mkdir(plan->path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_PRECONDITION, "cannot make %s: %m", plan->path);
    if (geteuid() == 0 && plan->owner.is_set &&
        chown(plan->path, plan->owner.user, plan->group ? plan->group : plan->owner.group) != 0)
        return err_set(err, ERR_PRECONDITION, "cannot give %s away: %m", plan->path);
    if (chmod(plan->path, plan->mode) != 0)
        return err_set(err, ERR_PRECONDITION, "cannot set the mode of %s: %m", plan->path);
    return true;
}

static bool sockets_remove(const char *path, struct err *err)
{
    CLEANUP(closedir_at) DIR *directory = opendir(path);
    const struct dirent *entry;
    if (!directory)
        return err_set(err, ERR_PRECONDITION, "cannot read %s: %m", path);
    while ((entry = readdir(directory))) {
        if (entry->d_type == DT_SOCK && unlinkat(dirfd(directory), entry->d_name, 0) != 0)
            return err_set(err, ERR_PRECONDITION, "cannot clean %s: %m", path);
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

/* Where the edge or keyd are somebody else, they must get through to their own directory. */
static bool all_make(const struct options *options, struct err *err)
{
    struct user_ids user, edge, keyd;
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    if (!user_find(options->user, &user, err) || !user_find(options->edge_user, &edge, err) ||
        !user_find(options->keyd_user, &keyd, err))
        return false;
    bool shares = edge.is_set && edge.user != (user.is_set ? user.user : geteuid());
    unsigned group = shares ? edge.group : 0;
    const struct plan plans[] = {
        {options->data_dir, keyd.is_set ? 0711 : 0700, user, 0},
        {options->run_dir, shares ? 0711 : 0700, user, 0},
        {options_run_path(scratch, options, DIRECTORY_EDGE), shares ? 02750 : 0700, user, group},
        {options_run_path(scratch, options, DIRECTORY_SOCKETS), shares ? 02750 : 0700, user, group},
        {options_run_path(scratch, options, DIRECTORY_EDGE_TMP), 0700, edge.is_set ? edge : user,
         0},
    };
    for (size_t i = 0; i < COUNT(plans); i++)
        if (!parents_make(plans[i].path, err) || !directory_make(&plans[i], err))
            return false;
    return true;
}

bool directories_make(const struct options *options, struct house_locks *locks, struct err *err)
{
    CLEANUP(mem_free_at) char *sockets = options_run_path(NULL, options, DIRECTORY_SOCKETS);
    return all_make(options, err) && locks_take(options, locks, err) &&
           sockets_remove(sockets, err);
}
