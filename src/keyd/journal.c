/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define JOURNAL_LINE_MAX 1024 /* bytes, with mac and newline */
#define JOURNAL_MAC_TEXT " mac="

struct journal {
    int fd;
    off_t size; /* of the whole lines */
    uint8_t key[32];
    uint8_t last[32]; /* mac of the last line */
};

static int journal_close(struct journal *journal)
{
    bytes_wipe(journal->key, sizeof(journal->key));
    if (journal->fd >= 0)
        (void)close(journal->fd);
    return 0;
}

/* The mac at the end of the last whole line in `tail`, or nothing where there is no line. */
static bool last_mac(void *owner, struct bytes tail, struct bytes *mac, struct err *err)
{
    size_t start = tail.size ? tail.size - 1 : 0;
    while (start > 0 && tail.data[start - 1] != '\n')
        start--;
    char *line = mem_text_part(owner, (const char *)tail.data + start, tail.size - start);
    char *found = strstr(line, JOURNAL_MAC_TEXT);
    if (!found)
        return err_set(err, ERR_PRECONDITION, "the journal ends in a line without mac");
    found += strlen(JOURNAL_MAC_TEXT);
    found[strcspn(found, "\n")] = 0;
    return text_unhex(owner, found, mac, err);
}

static bool journal_resume(struct journal *journal, struct err *err)
{
    char tail[2 * JOURNAL_LINE_MAX];
    struct stat about;
    if (fstat(journal->fd, &about) != 0)
        return err_set(err, ERR_UNAVAILABLE, "journal: %s", strerror(errno));
    off_t from = about.st_size > (off_t)sizeof(tail) ? about.st_size - (off_t)sizeof(tail) : 0;
    ssize_t got = pread(journal->fd, tail, sizeof(tail), from);
    if (got < 0)
        return err_set(err, ERR_UNAVAILABLE, "journal: %s", strerror(errno));
    size_t size = (size_t)got;
    while (size > 0 && tail[size - 1] != '\n')
        size--;
    if (ftruncate(journal->fd, from + (off_t)size) != 0)
        return err_set(err, ERR_UNAVAILABLE, "journal: %s", strerror(errno));
    journal->size = from + (off_t)size;
    if (size == 0)
        return from == 0 || err_set(err, ERR_PRECONDITION, "the journal holds no lines");
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes mac;
    if (!last_mac(scratch, (struct bytes){(const uint8_t *)tail, size}, &mac, err))
        return false;
    if (mac.size != sizeof(journal->last))
        return err_set(err, ERR_PRECONDITION, "the journal ends in a damaged line");
    memcpy(journal->last, mac.data, mac.size);
    return true;
}

bool journal_open(void *owner, const char *path, const struct master *master, struct journal **out,
                  struct err *err)
{
    CLEANUP(mem_free_at) struct journal *journal = mem_new(NULL, struct journal);
    mem_destructor(journal, journal_close);
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    master_derive(master, "journal", journal->key);
    if (!journal_resume(journal, err))
        return err_context(err, "%s", path);
    *out = mem_give(owner, &journal);
    return true;
}

char *journal_word(void *owner, const char *text)
{
    char *copy = mem_text(owner, text);
    for (char *c = copy; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '=')
            *c = '_';
    return copy;
}

bool journal_add(struct journal *journal, int64_t now, const char *what, const char *facts,
                 struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer line, chained;
    struct bytes text, input;
    uint8_t mac[32];
    buffer_init(&line, scratch, JOURNAL_LINE_MAX);
    buffer_init(&chained, scratch, JOURNAL_LINE_MAX + sizeof(mac));
    buffer_format(&line, "%s %s %s", time_text(scratch, now), what, facts);
    buffer_add(&chained, BYTES_OF(journal->last));
    buffer_text(&chained, buffer_string(&line));
    if (!buffer_done(&chained, &input, err))
        return err_context(err, "journal");
    hmac_sha256(journal->key, input, mac);
    buffer_format(&line, JOURNAL_MAC_TEXT "%s\n", text_hex(scratch, BYTES_OF(mac)));
    if (!buffer_done(&line, &text, err))
        return err_context(err, "journal");
    if (write(journal->fd, text.data, text.size) != (ssize_t)text.size ||
        fdatasync(journal->fd) != 0) {
        (void)!ftruncate(journal->fd, journal->size); /* no torn line in the middle */
        return err_set(err, ERR_UNAVAILABLE, "the journal cannot be written");
    }
    journal->size += (off_t)text.size;
    memcpy(journal->last, mac, sizeof(mac));
    return true;
}
