/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const log_level_names[] = {"error", "warn", "info", "debug", NULL};
static atomic_int log_level = LOG_INFO; /* one of the two process-wide states; see HACKING.md */

#define LINE_SIZE 2048

struct line {
    char text[LINE_SIZE];
    size_t size;
};

void log_level_set(enum log_level level)
{
    atomic_store(&log_level, (int)level);
}

static void put(struct line *line, char c)
{
    if (line->size + 1 < LINE_SIZE)
        line->text[line->size++] = c;
}

static void put_text(struct line *line, const char *text)
{
    for (; *text; text++)
        put(line, *text);
}

/* Quoted when needed; control characters and quotes cannot break the line or forge a field. */
static void put_value(struct line *line, const char *value)
{
    bool plain = *value && !strpbrk(value, " =\"\\");
    for (const char *c = value; *c && plain; c++)
        plain = (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (plain) {
        put_text(line, value);
        return;
    }
    put(line, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            put(line, '\\');
        put(line, (unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value);
    }
    put(line, '"');
}

static void put_pairs(struct line *line, va_list args)
{
    const char *name;
    while ((name = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);
        put(line, ' ');
        put_text(line, name);
        put(line, '=');
        put_value(line, value ? value : "-");
    }
}

static void start(struct line *line, enum log_level level, const char *event)
{
    line->size = 0;
    put_text(line, "level=");
    put_text(line, log_level_names[level]);
    put_text(line, " event=");
    put_value(line, event);
}

static void finish(struct line *line)
{
    line->text[line->size++] = '\n';
    if (write(STDERR_FILENO, line->text, line->size) < 0)
        return; /* nowhere left to complain */
}

void log_event(enum log_level level, const char *event, ...)
{
    if ((int)level > atomic_load(&log_level))
        return;
    struct line line;
    va_list args;
    start(&line, level, event);
    va_start(args, event);
    put_pairs(&line, args);
    va_end(args);
    finish(&line);
}

void log_err(const char *event, const struct err *err, ...)
{
    enum log_level level = err->kind == ERR_INTERNAL ? LOG_ERROR : LOG_WARN;
    if ((int)level > atomic_load(&log_level))
        return;
    struct line line;
    va_list args;
    start(&line, level, event);
    va_start(args, err);
    put_pairs(&line, args);
    va_end(args);
    put_text(&line, " kind=");
    put_text(&line, err_kind_name(err->kind));
    put_text(&line, " error=");
    put_value(&line, err->text);
    if (err->where[0]) {
        put_text(&line, " where=");
        put_value(&line, err->where);
    }
    if (err->remedy) {
        put_text(&line, " remedy=");
        put_value(&line, err->remedy);
    }
    finish(&line);
}
