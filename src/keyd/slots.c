/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "pki/keyd_wire.h"

#define SLOT_SIZE ((size_t)32 << 10) /* bytes of one place in the file */
#define SLOT_COUNT 2

struct slots {
    int fd;
    const struct master *master;
    int64_t generation; /* of the newest value; generation % 2 is its place */
};

static int slots_close(struct slots *slots)
{
    if (slots->fd >= 0)
        (void)close(slots->fd);
    return 0;
}

bool slots_open(void *owner, const char *path, const struct master *master, struct slots **out,
                struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    struct slots *slots = mem_new(owner, struct slots);
    *slots = (struct slots){.fd = fd, .master = master};
    mem_destructor(slots, slots_close);
    *out = slots;
    return true;
}

/* A place that holds no value, or one that a crash tore, fails to open and counts as empty. */
static bool slot_read(void *owner, struct slots *slots, size_t place, int64_t *generation,
                      struct bytes *out)
{
    struct err ignored;
    uint8_t *memory = mem_array(owner, uint8_t, SLOT_SIZE);
    ssize_t got = pread(slots->fd, memory, SLOT_SIZE, (off_t)(place * SLOT_SIZE));
    if (got <= 0)
        return false;
    struct reader in = reader_of((struct bytes){memory, (size_t)got});
    struct bytes sealed = wire_get_bytes(&in, SLOT_SIZE), plain;
    if (!reader_ok(&in) ||
        !seal_open(owner, slots->master, "seal/slot", "slot", sealed, &plain, &ignored))
        return false;
    struct reader inside = reader_of(plain);
    *generation = wire_get_i64(&inside);
    *out = reader_take(&inside, reader_left(&inside));
    return reader_ok(&inside);
}

bool slots_load(void *owner, struct slots *slots, struct bytes *out)
{
    bool found = false;
    for (size_t place = 0; place < SLOT_COUNT; place++) {
        int64_t generation;
        struct bytes value;
        if (!slot_read(owner, slots, place, &generation, &value))
            continue;
        if (!found || generation > slots->generation) {
            slots->generation = generation;
            *out = value;
        }
        found = true;
    }
    return found;
}

bool slots_save(struct slots *slots, struct bytes value, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer plain, framed;
    struct bytes content, sealed, image;
    buffer_init(&plain, scratch, SLOT_SIZE);
    buffer_init(&framed, scratch, SLOT_SIZE);
    wire_i64(&plain, slots->generation + 1);
    buffer_add(&plain, value);
    if (!buffer_done(&plain, &content, err))
        return false;
    bool good = seal_make(scratch, slots->master, "seal/slot", "slot", content, &sealed, err);
    bytes_wipe(plain.data, plain.size);
    if (!good)
        return false;
    wire_bytes(&framed, sealed);
    if (!buffer_done(&framed, &image, err))
        return false;
    off_t place = (off_t)((size_t)((slots->generation + 1) % SLOT_COUNT) * SLOT_SIZE);
    if (pwrite(slots->fd, image.data, image.size, place) != (ssize_t)image.size ||
        fdatasync(slots->fd) != 0)
        return err_set(err, ERR_UNAVAILABLE, "a key cannot be kept");
    slots->generation++;
    return true;
}
