/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static void descriptor_close_at(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static char *key_path(void *owner, const char *directory, unsigned bits, size_t index)
{
    return mem_format(owner, "%s/rsa%u-%05zu.pem", directory, bits, index);
}

bool key_pool_make(const char *directory, size_t count, unsigned bits, struct err *err)
{
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", directory, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        CLEANUP(mem_free_at) char *path = key_path(NULL, directory, bits, i);
        if (access(path, R_OK) == 0)
            continue;
        CLEANUP(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
        if (!key_make_rsa(bits, &key, err) || !key_save(path, key, err))
            return false;
    }
    return true;
}

static size_t pool_count(const char *directory, unsigned bits)
{
    size_t count = 0;
    while (count < KEY_POOL_MAX) {
        CLEANUP(mem_free_at) char *path = key_path(NULL, directory, bits, count);
        if (access(path, R_OK) != 0)
            break;
        count++;
    }
    return count;
}

/* One number per call, over all processes that use the pool. */
static bool turn_take(const char *directory, size_t *out, struct err *err)
{
    CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/next", directory);
    CLEANUP(descriptor_close_at) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    char text[24] = "";
    ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
    int64_t turn = 0;
    struct err ignored; /* a damaged counter starts again */
    if (size > 0 && !number_parse((struct bytes){(const uint8_t *)text, (size_t)size}, 0, INT64_MAX,
                                  &turn, &ignored))
        turn = 0;
    int length = snprintf(text, sizeof(text), "%" PRId64, turn + 1);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    *out = (size_t)turn;
    return true;
}

bool key_pool_take(const char *directory, unsigned bits, EVP_PKEY **out, struct err *err)
{
    size_t count = directory ? pool_count(directory, bits) : 0, turn = 0;
    if (count == 0)
        return key_make_rsa(bits, out, err);
    if (!turn_take(directory, &turn, err))
        return false;
    CLEANUP(mem_free_at) char *path = key_path(NULL, directory, bits, turn % count);
    return key_load(path, out, err);
}
