/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/config.h"
#include "base/mem.h"
#include "base/text.h"

static void close_at(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* nothing was written to it that could be lost */
}

/* One line into `line`; the size without its end, or -1. */
static ssize_t line_read(int fd, char line[PROMPT_LONGEST])
{
    for (ssize_t size = 0; size < PROMPT_LONGEST;) {
        ssize_t got = read(fd, line + size, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got == 0 && size == 0))
            return -1;
        if (got == 0 || line[size] == '\n')
            return size > 0 && line[size - 1] == '\r' ? size - 1 : size;
        size++;
    }
    return -1;
}

static bool line_take(void *owner, int fd, char **out, struct err *err)
{
    char line[PROMPT_LONGEST];
    ssize_t size = line_read(fd, line);
    if (size > 0)
        *out = bytes_to_text(owner, (struct bytes){(const uint8_t *)line, (size_t)size});
    bytes_wipe(line, sizeof(line));
    return size > 0 && *out ? true : err_set(err, ERR_BAD_INPUT, "nothing was typed");
}

/* Without echo a signal must not end us before the terminal is as it was: wait for the line and for
 * signals together. False: a signal came, and strikes as soon as it is let through. */
static bool wait_quietly(int tty, const sigset_t *signals)
{
    CLEANUP(close_at) int signal_fd = signalfd(-1, signals, SFD_CLOEXEC);
    struct pollfd waits[] = {{tty, POLLIN, 0}, {signal_fd, POLLIN, 0}};
    while (poll(waits, COUNT(waits), -1) < 0 && errno == EINTR)
        continue;
    return waits[1].revents == 0;
}

static bool secret_take(void *owner, int tty, char **out, struct err *err)
{
    struct termios before, quiet;
    sigset_t signals, old;
    (void)sigemptyset(&signals); /* these four fail for no valid signal */
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGTSTP);
    if (tcgetattr(tty, &before) != 0 || sigprocmask(SIG_BLOCK, &signals, &old) != 0)
        return err_set(err, ERR_UNAVAILABLE, "the terminal cannot be made quiet");
    quiet = before;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    bool ok = tcsetattr(tty, TCSAFLUSH, &quiet) == 0;
    if (!ok)
        (void)err_set(err, ERR_UNAVAILABLE, "the terminal cannot be made quiet");
    else if (!wait_quietly(tty, &signals))
        ok = err_set(err, ERR_UNAVAILABLE, "interrupted");
    else
        ok = line_take(owner, tty, out, err);
    bool is_back = tcsetattr(tty, TCSAFLUSH, &before) == 0 && dprintf(tty, "\n") > 0;
    return sigprocmask(SIG_SETMASK, &old, NULL) == 0 && ok &&
           (is_back || err_set(err, ERR_UNAVAILABLE, "the terminal went away"));
}

bool prompt_line(void *owner, const char *question, bool is_secret, char **out, struct err *err)
{
    CLEANUP(close_at) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    char *line = NULL;
    if (tty < 0 || dprintf(tty, "%s", question) < 0)
        return err_set(err, ERR_UNAVAILABLE, "there is no terminal to ask at");
    if (is_secret ? !secret_take(owner, tty, &line, err) : !line_take(owner, tty, &line, err))
        return false;
    *out = line;
    return true;
}

bool input_line(void *owner, char **out, struct err *err)
{
    char *line = NULL;
    if (!line_take(owner, STDIN_FILENO, &line, err))
        return err_set(err, ERR_BAD_INPUT, "standard input holds no line");
    *out = line;
    return true;
}

static bool stdin_read(void *owner, size_t limit, struct bytes *out, struct err *err)
{
    struct buffer content;
    uint8_t part[4096];
    ssize_t got;
    buffer_init(&content, owner, limit);
    while ((got = read(STDIN_FILENO, part, sizeof(part))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_UNAVAILABLE, "standard input: %s", strerror(errno));
        buffer_add(&content, (struct bytes){part, (size_t)got});
    }
    return buffer_done(&content, out, err);
}

const char *input_name(const char *path)
{
    return text_equal(path, "-") ? "standard input" : path;
}

bool input_read(void *owner, const char *path, size_t limit, struct bytes *out, struct err *err)
{
    return text_equal(path, "-") ? stdin_read(owner, limit, out, err)
                                 : file_read(owner, path, limit, out, err);
}
