/* SPDX-License-Identifier: Apache-2.0 */
/* When certificates end: the calendar, and a word in time. */
#include <time.h>

#include "base/clock.h"
#include "fleet/certificate.h"
#include "fleet/door.h"
#include "store/store.h"

#define MONTHS 13
#define WARN_SECONDS (INT64_C(30) * 86400)

static const struct field ending_rows[] = {
    INTEGER_FIELD(struct certificate_ending, identities, 0),
    INTEGER_FIELD(struct certificate_ending, unanswered, 0),
    INTEGER_FIELD(struct certificate_ending, others, 0),
};

static bool ending_count(struct fleet *fleet, void *owner, int64_t from, int64_t until,
                         struct certificate_ending *out, struct err *err)
{
    bool found = false;
    return store_find(fleet->db, owner,
                      ASK(CERTIFICATE_ENDING_COUNT, INTEGER(from), INTEGER(until)),
                      FIELDS(ending_rows), out, &found, err);
}

/* The first second of the month that is so many after the one of `now`, and its name. */
static int64_t month_begin(void *owner, int64_t now, int after, char **name)
{
    time_t seconds = (time_t)now;
    struct tm month = {0};
    (void)gmtime_r(&seconds, &month);
    int index = month.tm_mon + after;
    struct tm first = {.tm_year = month.tm_year + index / 12, .tm_mon = index % 12, .tm_mday = 1};
    if (name)
        *name = mem_format(owner, "%04d-%02d", first.tm_year + 1900, first.tm_mon + 1);
    return (int64_t)timegm(&first);
}

bool fleet_certificate_calendar(struct fleet *fleet, const struct actor *actor, void *owner,
                                struct list *out, struct err *err)
{
    struct certificate_ending *rows = mem_array(owner, struct certificate_ending, MONTHS + 2);
    int64_t from = 0, until = actor->now;
    if (!fleet_need(actor, "certificate.read", err))
        return false;
    for (int i = 0; i < MONTHS + 2; i++) {
        char *name = i == 0 ? mem_text(owner, "ended") : mem_text(owner, "later");
        if (i > 0 && i <= MONTHS) {
            (void)month_begin(owner, actor->now, i - 1, &name);
            until = month_begin(owner, actor->now, i, NULL);
        } else if (i > MONTHS) {
            until = INT64_MAX;
        }
        if (!ending_count(fleet, owner, from, until, &rows[i], err))
            return false;
        rows[i].month = name;
        from = until;
    }
    *out = (struct list){.items = rows, .count = MONTHS + 2};
    return true;
}

/* ---- a word in time ---- */

struct telling {
    const struct rows *rows;
    int64_t now;
};

static bool tell_one(struct db *tx, const struct telling *t, size_t row, struct err *err)
{
    int64_t changed = 0;
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    char *body = json_pairs(owner, "serial", rows_text(t->rows, row, "serial"), "subject",
                            rows_text(t->rows, row, "subject"), "purpose",
                            rows_text(t->rows, row, "purpose"), "not_after",
                            time_text(owner, rows_integer(t->rows, row, "not_after")), NULL);
    return store_change(
               tx,
               ASK(CERTIFICATE_ENDING_TOLD, TEXT(rows_text(t->rows, row, "id")), INTEGER(t->now)),
               &changed, err) &&
           (changed == 0 || event_add(tx, "certificate.expires",
                                      rows_text(t->rows, row, "device_id"), body, t->now, err));
}

static bool tell_run(struct db *tx, void *context, struct err *err)
{
    const struct telling *t = context;
    for (size_t i = 0; i < t->rows->count; i++)
        if (!tell_one(tx, t, i, err))
            return false;
    return true;
}

bool fleet_certificates_warn(struct fleet *fleet, int64_t now, int64_t limit, size_t *count,
                             struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    if (!store_rows(fleet->db, owner,
                    ASK(CERTIFICATE_ENDING_UNTOLD, INTEGER(now), INTEGER(now + WARN_SECONDS),
                        INTEGER(limit)),
                    &rows, err))
        return false;
    struct telling telling = {rows, now};
    if (rows->count > 0 && !db_transaction(fleet->db, tell_run, &telling, err))
        return false;
    *count = rows->count;
    return true;
}
