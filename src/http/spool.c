/* SPDX-License-Identifier: Apache-2.0 */
#include "http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool spool_open(const char *directory, int *fd, struct err *err)
{
    int opened = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (opened < 0)
        return err_set(err, ERR_UNAVAILABLE, "no file for the body: %s", strerror(errno));
    *fd = opened;
    return true;
}

bool spool_add(int fd, struct bytes part, struct err *err)
{
    while (part.size > 0) {
        ssize_t size = write(fd, part.data, part.size);
        if (size < 0 && errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "the body cannot be kept: %s", strerror(errno));
        if (size > 0) {
            part.data += size;
            part.size -= (size_t)size;
        }
    }
    return true;
}
