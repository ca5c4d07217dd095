/* SPDX-License-Identifier: Apache-2.0 */
#include "server/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define PID_FILE_SIZE 32 /* bytes */
#define PID_LARGEST (1 << 22)

DEFINE_CLEANUP(DIR *, closedir)

/* It lies where the edge may write: neither a link nor a pipe shall hold us. */
int64_t pid_file_read(const char *path)
{
    char text[PID_FILE_SIZE];
    struct stat info;
    struct err err;
    int64_t pid = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return 0;
    bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    ssize_t size = is_file ? read(fd, text, sizeof(text)) : -1;
    (void)close(fd);
    while (size > 0 && text[size - 1] == '\n')
        size--;
    return size > 0 && number_parse((struct bytes){(const uint8_t *)text, (size_t)size}, 2,
                                    PID_LARGEST, &pid, &err)
               ? pid
               : 0;
}

/* "1234 (nginx) S 1 1230 ...": the fifth word is the group. */
static bool is_member(int process, int64_t group)
{
    static const char name[] = "(nginx) ";
    char text[256];
    long long parent, its_group;
    int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        (void)close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    const char *rest = strstr(text, name);
    return rest && sscanf(rest + strlen(name), "%*c %lld %lld", &parent, &its_group) == 2 &&
           its_group == group;
}

static void look_at(int proc, const char *pid, unsigned user, int64_t group)
{
    struct stat info;
    struct err err;
    int64_t number;
    if (!number_parse(bytes_text(pid), 2, PID_LARGEST, &number, &err))
        return;
    int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0)
        return;
    if (fstat(process, &info) == 0 && info.st_uid == user && is_member(process, group) &&
        kill((pid_t)number, SIGKILL) == 0)
        log_event(LOG_WARN, "supervisor.leftover", "pid", pid, NULL);
    (void)close(process);
}

void leftovers_end(const char *pid_file, unsigned user)
{
    int64_t group = pid_file_read(pid_file); /* the master made the group: its id is the master's */
    CLEANUP(closedir_at) DIR *proc = group ? opendir("/proc") : NULL;
    const struct dirent *entry;
    while (proc && (entry = readdir(proc)))
        look_at(dirfd(proc), entry->d_name, user, group);
}
