/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "edge/edge.h"

#define WORDS_SIZE 2048 /* bytes of nginx's complaint that we read */

static void fd_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
DEFINE_CLEANUP(int, fd_close)

static bool start(const char *const *words, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    bool fine =
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) == 0 &&
        posix_spawn(pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    return fine;
}

/* All that comes until the end; what does not fit is read and forgotten. */
static void words_read(int fd, char *words)
{
    size_t size = 0;
    char rest[256];
    for (;;) {
        bool full = size == WORDS_SIZE - 1;
        ssize_t got =
            read(fd, full ? rest : words + size, full ? sizeof(rest) : WORDS_SIZE - 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += full ? 0 : (size_t)got;
    }
    words[size] = '\0';
}

/* The first line that is not just a warning. */
static const char *complaint(char *words)
{
    char *line = strstr(words, "[emerg]");
    line = line ? line + strlen("[emerg]") : words;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

bool edge_nginx_check(const char *program, const char *run_dir, const char *file, struct err *err)
{
    const char *const command[] = {program, "-t",    "-q", "-e", "stderr",
                                   "-p",    run_dir, "-c", file, NULL};
    char words[WORDS_SIZE];
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_INTERNAL, "cannot make a pipe: %m");
    CLEANUP(fd_close_at) int in = ends[0];
    bool started = start(command, ends[1], &pid);
    fd_close(ends[1]);
    if (!started)
        return err_set(err, ERR_INTERNAL, "cannot start %s", program);
    words_read(in, words);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(err, ERR_INTERNAL, "cannot wait for %s: %m", program);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_BAD_INPUT, "%s does not accept %s:%s", program, file,
                       complaint(words));
    return true;
}
