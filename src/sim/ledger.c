/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"

#define LEDGER_READ_MAX ((size_t)16 << 20) /* bytes */
#define LINE_DEPTH 4
#define LINE_NODES 64

struct ledger {
    int fd;
};

static int ledger_close(struct ledger *ledger)
{
    if (ledger->fd >= 0)
        (void)close(ledger->fd);
    return 0;
}

bool ledger_open(void *owner, const char *path, struct ledger **out, struct err *err)
{
    CLEANUP(mem_free_at) struct ledger *ledger = mem_new(NULL, struct ledger);
    ledger->fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    mem_destructor(ledger, ledger_close);
    if (path && ledger->fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    *out = mem_give(owner, &ledger);
    return true;
}

/* One write(2) for each line, so that lines of several threads and processes do not mix. */
static void line_write(struct ledger *ledger, json_t *line)
{
    CLEANUP(json_decref_at) json_t *object = line;
    if (!ledger || ledger->fd < 0)
        return;
    json_object_set_new(object, "at", json_integer(clock_now()));
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    char *text = mem_format(scratch, "%s\n", json_text(scratch, object));
    (void)!write(ledger->fd, text, strlen(text));
}

void ledger_message(struct ledger *ledger, const char *udid, const char *message, const char *uuid,
                    int status)
{
    line_write(ledger, json_pack("{s:s, s:s, s:s*, s:i}", "device", udid, "message", message,
                                 "uuid", uuid, "status", status));
}

void ledger_execution(struct ledger *ledger, const char *udid, const char *uuid,
                      const char *request_type, const char *outcome, int code)
{
    line_write(ledger, json_pack("{s:s, s:s, s:s, s:s, s:i}", "device", udid, "executed", uuid,
                                 "request_type", request_type, "outcome", outcome, "code", code));
}

void ledger_left(struct ledger *ledger, const char *udid, const char *why)
{
    line_write(ledger, json_pack("{s:s, s:s}", "device", udid, "left", why));
}

json_t *ledger_read(const char *path)
{
    static const struct json_limits limits = {
        .size = 65536, .depth = LINE_DEPTH, .nodes = LINE_NODES};
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    json_t *lines = json_array();
    struct bytes content = NO_BYTES;
    struct err ignored; /* no ledger yet: nothing happened yet */
    if (!file_read(scratch, path, LEDGER_READ_MAX, &content, &ignored))
        return lines;
    for (size_t at = 0; at < content.size;) {
        const uint8_t *end = memchr(content.data + at, '\n', content.size - at);
        size_t size = end ? (size_t)(end - content.data) - at : content.size - at;
        json_t *line = NULL;
        if (json_parse((struct bytes){content.data + at, size}, &limits, &line, &ignored))
            json_array_append_new(lines, line);
        at += size + 1;
    }
    return lines;
}
