/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keyd/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "keyd/rollover.h"
#define START_TRIES 9

/* The sanitizer's leak check has no place in a process that ends by _exit(). */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

pid_t process_fork(const struct keyd_options *options, int *fd)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(keyd_main(ends[1], options));
    }
    (void)close(ends[1]);
    *fd = ends[0];
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int launch(struct process *process)
{
    const struct keyd_options options = {.directory = process->directory,
                                         .organization = process->organization};
    int fd;
    process->pid = process_fork(&options, &fd);
    process->fd = fd;
    return fd;
}

/* Making the authority's keys takes a while on a busy machine. */
static void wait_until_ready(struct keyd *keyd)
{
    struct err err;
    bool ready = false;
    for (int i = 0; i < START_TRIES && !ready; i++)
        ready = keyd_ping(keyd, &err); /* each waits for up to ten seconds */
    if (!ready)
        fail_msg("%s", err.text);
}

#define ORGANIZATION "Example Works"

struct process *process_start(void *owner)
{
    return process_start_for(owner, ORGANIZATION);
}

static struct process *process_make(void *owner, const char *organization)
{
    struct process *process = mem_new(owner, struct process);
    char pattern[] = "/tmp/keyd-test-XXXXXX";
    assert_non_null(mkdtemp(pattern));
    process->directory = mem_text(process, pattern);
    process->organization = organization;
    return process;
}

static struct process *process_begin(struct process *process)
{
    struct err err;
    int fd = launch(process);
    assert_works(keyd_attach(process, fd, &process->keyd, &err), err);
    wait_until_ready(process->keyd);
    assert_works(keyd_authority(process->keyd, process, &process->authority, &err), err);
    return process;
}

struct process *process_start_for(void *owner, const char *organization)
{
    return process_begin(process_make(owner, organization));
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        CLEANUP(mem_free_at) char *inside = mem_format(NULL, "%s/%s", path, entry->d_name);
        if (strncmp(entry->d_name, "authority-", strlen("authority-")) == 0)
            remove_directory(inside);
        else
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

static void file_copy(int from, int to, const char *name)
{
    int in = openat(from, name, O_RDONLY | O_CLOEXEC);
    int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char part[4096];
    struct stat about = {0};
    ssize_t size;
    assert_true(in >= 0 && out >= 0 && fstat(in, &about) == 0);
    while ((size = read(in, part, sizeof(part))) > 0)
        assert_int_equal(write(out, part, (size_t)size), size);
    assert_int_equal(fchmod(out, about.st_mode & 07777), 0);
    (void)close(in);
    (void)close(out);
}

/* Of plain files. */
static void directory_copy(const char *from, const char *to)
{
    DIR *in = opendir(from), *out = opendir(to);
    assert_true(in && out);
    for (struct dirent *entry; (entry = readdir(in));)
        if (entry->d_type == DT_REG)
            file_copy(dirfd(in), dirfd(out), entry->d_name);
    (void)closedir(in);
    (void)closedir(out);
}

static void stop(struct process *process)
{
    assert_int_equal(kill(process->pid, SIGKILL), 0);
    assert_int_equal(wait_for(process->pid), -SIGKILL);
}

/* A folder is whole when it has its name. */
static void alike_make(const char *keys)
{
    struct process *process = process_start(NULL);
    CLEANUP(mem_free_at) char *making = mem_format(NULL, "%s.%d", keys, (int)getpid());
    stop(process);
    assert_int_equal(mkdir(making, 0700), 0);
    directory_copy(process->directory, making);
    assert_int_equal(rename(making, keys), 0);
    remove_directory(process->directory);
    mem_free(process);
}

int process_set_up_alike(void **state)
{
    const char *keys = getenv("MUSTER_KEYS");
    if (!keys)
        return process_set_up(state);
    CLEANUP(mem_free_at) char *lock = mem_format(NULL, "%s.lock", keys);
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    if (access(keys, F_OK) != 0)
        alike_make(keys);
    (void)close(fd);
    struct process *process = process_make(NULL, ORGANIZATION);
    directory_copy(keys, process->directory);
    *state = process_begin(process);
    return 0;
}

static void end(struct process *process, bool kill_it)
{
    struct err err;
    int unused[2];
    if (kill_it)
        (void)kill(process->pid, SIGKILL);
    /* An end that is dead already takes the place of the old one, which is closed by the next call.
     */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, unused), 0);
    (void)close(unused[1]);
    keyd_replace(process->keyd, unused[0]);
    assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    assert_int_equal(wait_for(process->pid), kill_it ? -SIGKILL : 0);
}

void process_stop(struct process *process)
{
    end(process, false);
}

void process_resume(struct process *process)
{
    keyd_replace(process->keyd, launch(process));
    wait_until_ready(process->keyd);
}

void process_restart(struct process *process, bool kill_it)
{
    end(process, kill_it);
    process_resume(process);
}

bool process_prepare(const struct keyd_options *options, int64_t *number, struct err *err)
{
    return keyd_rollover_prepare(options, clock_now(), number, err);
}

bool process_switch(const struct keyd_options *options, int64_t *number, struct err *err)
{
    return keyd_rollover_switch(options, clock_now(), number, err);
}

#define WORD_FAILED 100 /* and the kind: exit status */

int64_t process_run(const struct process *process, process_word *word, int after_ms)
{
    const struct keyd_options options = {.directory = process->directory,
                                         .organization = process->organization};
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int64_t number = 0;
        struct err err;
        _exit(word(&options, &number, &err) ? (int)number : WORD_FAILED + (int)err.kind);
    }
    if (after_ms >= 0) {
        (void)usleep((useconds_t)after_ms * 1000);
        (void)kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return 0;
    int code = WEXITSTATUS(status);
    return code >= WORD_FAILED ? WORD_FAILED - code : code;
}

int process_wait(struct process *process)
{
    return wait_for(process->pid);
}

int process_refused(const struct keyd_options *options)
{
    int fd;
    pid_t pid = process_fork(options, &fd);
    int code = wait_for(pid);
    (void)close(fd);
    return code;
}

int process_set_up(void **state)
{
    *state = process_start(NULL);
    return 0;
}

int process_tear_down(void **state)
{
    struct process *process = *state;
    (void)kill(process->pid, SIGKILL);
    (void)wait_for(process->pid);
    remove_directory(process->directory);
    mem_free(process);
    return 0;
}
