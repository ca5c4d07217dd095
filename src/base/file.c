/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read with a limit, written so that a crash leaves the old or the new content. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/mem.h"

static void close_at(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool read_all(int fd, struct buffer *buffer, struct err *err)
{
    uint8_t part[16384];
    ssize_t size;
    while ((size = read(fd, part, sizeof(part))) > 0)
        buffer_add(buffer, (struct bytes){part, (size_t)size});
    return size == 0 || err_set(err, ERR_UNAVAILABLE, "reading: %s", strerror(errno));
}

bool file_read(void *owner, const char *path, size_t limit, struct bytes *out, struct err *err)
{
    CLEANUP(close_at) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "%s: %s", path,
                       strerror(errno));
    struct buffer buffer;
    buffer_init(&buffer, owner, limit);
    if (!read_all(fd, &buffer, err) || !buffer_done(&buffer, out, err))
        return err_context(err, "%s", path);
    if (!out->data)
        *out = bytes_copy(owner, NO_BYTES);
    return true;
}

static bool write_all(int fd, struct bytes content)
{
    while (content.size > 0) {
        ssize_t size = write(fd, content.data, content.size);
        if (size < 0)
            return false;
        content.data += size;
        content.size -= (size_t)size;
    }
    return fsync(fd) == 0;
}

static bool directory_sync(const char *path)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, path);
    CLEANUP(close_at) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

bool file_write(const char *path, struct bytes content, unsigned mode, struct err *err)
{
    CLEANUP(mem_free_at) char *temporary = mem_format(NULL, "%s.new", path);
    CLEANUP(close_at)
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0 || fchmod(fd, (mode_t)mode) != 0 || !write_all(fd, content) ||
        rename(temporary, path) != 0 || !directory_sync(path)) {
        int why = errno;
        (void)unlink(temporary);
        return err_set(err, ERR_UNAVAILABLE, "writing %s: %s", path, strerror(why));
    }
    return true;
}
