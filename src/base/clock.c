/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

int64_t clock_now(void)
{
    return (int64_t)time(NULL);
}

int64_t clock_monotonic_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        bug("no monotonic clock");
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *time_text(void *owner, int64_t at)
{
    struct tm parts;
    time_t seconds = (time_t)at;
    char text[40];
    if (!gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return mem_text(owner, "1970-01-01T00:00:00Z");
    return mem_text(owner, text);
}

bool time_parse(const char *text, int64_t *out, struct err *err)
{
    struct tm parts = {0};
    struct tm back;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    time_t at = end && *end == '\0' && strlen(text) == 20 ? timegm(&parts) : (time_t)-1;
    char again[40] = "";
    /* strptime takes 31 February; what does not come back unchanged was not a date */
    if (at < 0 || !gmtime_r(&at, &back) ||
        strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &back) == 0 ||
        strcmp(again, text) != 0)
        return err_set(err, ERR_BAD_INPUT, "not a time like 2026-01-31T08:30:00Z");
    *out = (int64_t)at;
    return true;
}

char *time_local_text(void *owner, int64_t at)
{
    char *text = time_text(owner, at);
    text[strlen(text) - 1] = '\0'; /* the Z */
    return text;
}

bool time_local_parse(const char *text, int64_t *out, struct err *err)
{
    CLEANUP(mem_free_at) char *utc = mem_format(NULL, "%.40sZ", text);
    return time_parse(utc, out, err) ||
           err_set(err, ERR_BAD_INPUT, "not a time like 2026-01-31T20:00:00");
}
