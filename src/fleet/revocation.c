/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate revocation lists, of all and of each part: signed anew after each revocation and
 * daily. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fleet/authority.h"
#include "fleet/certificate.h"
#include "fleet/delta.h"
#include "fleet/door.h"
#include "fleet/leave.h"
#include "pki/authorities.h"
#include "store/store.h"

#define LIST_SECONDS (7 * 24 * 3600)     /* from thisUpdate to nextUpdate: the daily run has room */
#define ENTRIES_MAX KEYD_CRL_ENTRIES_MAX /* certificates that ended leave the list */
#define ENTRIES_MANY (ENTRIES_MAX / 5 * 4)
#define RANKS 4        /* of reasons: see certificate_revoked in store/certificate.sql */
#define TRIES 3        /* other threads make lists too */
#define CLOCK_SLACK 60 /* seconds: clocks of nodes differ */
#define PART_MAX 9999  /* nobody has ever given a higher number */

static const struct field list_rows[] = {
    INTEGER_FIELD(struct revocation_list, number, 0),
    BYTES_FIELD(struct revocation_list, der, 0),
    TIME_FIELD(struct revocation_list, this_update, 0),
    TIME_FIELD(struct revocation_list, next_update, 0),
    INTEGER_FIELD(struct revocation_list, entries, 0),
};

struct making { /* a list on its way */
    struct fleet *fleet;
    void *owner;
    int64_t part; /* 0: of all */
    struct crl_entry *entries;
    size_t count;
    struct revocation_list list;
    int64_t follows;    /* number of the one before; 0: it is the first */
    struct bytes delta; /* what has changed; none: NO_BYTES */
};

static bool list_newest(struct fleet *fleet, void *owner, int64_t part, struct revocation_list *out,
                        bool *found, struct err *err)
{
    return store_find(fleet->db, owner, ASK(REVOCATION_LIST_NEWEST, INTEGER(part)),
                      FIELDS(list_rows), out, found, err);
}

/* Room for a page at once: one by one would copy a long list again and again. */
static bool page_add(struct making *m, const struct rows *rows, struct err *err)
{
    m->entries = mem_grow(m->owner, m->entries, m->count + rows->count);
    for (size_t i = 0; i < rows->count && m->count < ENTRIES_MAX; i++) {
        struct crl_entry *entry = &m->entries[m->count];
        *entry = (struct crl_entry){.revoked_at = rows_integer(rows, i, "revoked_at"),
                                    .reason = revocation_reason_code(rows_text(rows, i, "reason"))};
        if (!text_unhex(m->owner, rows_text(rows, i, "serial"), &entry->serial, err))
            return false;
        m->count++;
    }
    return true;
}

int64_t fleet_revocation_list_of(int64_t authority, int64_t part)
{
    return (authority - 1) * REVOCATION_PARTS + part;
}

int64_t fleet_revocation_authority(int64_t list)
{
    return list / REVOCATION_PARTS + 1;
}

static bool is_of_all(int64_t list)
{
    return list % REVOCATION_PARTS == 0;
}

struct place { /* in the order of a list: behind what was loaded */
    int64_t rank, before;
    const char *after;
};

static bool page_load(struct making *m, int64_t now, const struct place *at, struct rows **rows,
                      struct err *err)
{
    struct db *db = m->fleet->db;
    int64_t authority = fleet_revocation_authority(m->part);
    if (is_of_all(m->part))
        return store_rows(db, m->owner,
                          ASK(CERTIFICATE_REVOKED, INTEGER(now - ENDED_KEPT_SECONDS),
                              INTEGER(at->rank), INTEGER(at->before), TEXT(at->after),
                              INTEGER(authority)),
                          rows, err);
    return store_rows(db, m->owner,
                      ASK(CERTIFICATE_REVOKED_OF_PART, INTEGER(now - ENDED_KEPT_SECONDS),
                          INTEGER(at->rank), INTEGER(at->before), TEXT(at->after),
                          INTEGER(authority), INTEGER(m->part % REVOCATION_PARTS)),
                      rows, err);
}

static bool rank_load(struct making *m, int64_t now, int64_t rank, struct err *err)
{
    struct place at = {.rank = rank, .before = INT64_MAX, .after = ""};
    struct rows *rows = NULL;
    do {
        if (!page_load(m, now, &at, &rows, err))
            return false;
        if (rows->count == 0)
            return true;
        if (!page_add(m, rows, err))
            return false;
        at.before = rows_integer(rows, rows->count - 1, "revoked_at");
        at.after = rows_text(rows, rows->count - 1, "serial");
    } while (rows->count == 10000 && m->count < ENTRIES_MAX); /* the statement's page */
    return true;
}

/* What matters most comes first, so that a list that is full lacks what matters least. */
static bool entries_load(struct making *m, int64_t now, struct err *err)
{
    for (int64_t rank = 0; rank < RANKS; rank++)
        if (!rank_load(m, now, rank, err))
            return false;
    return true;
}

static bool list_save(struct db *tx, void *context, struct err *err)
{
    const struct making *m = context;
    const struct revocation_list *list = &m->list;
    int64_t delta_until = list->this_update + m->fleet->settings->delta_seconds;
    return store_change(tx,
                        ASK(REVOCATION_LIST_INSERT, INTEGER(m->part), INTEGER(list->number),
                            BYTES(list->der), INTEGER(list->this_update),
                            INTEGER(list->next_update), INTEGER(list->entries), BYTES(m->delta),
                            TIME(m->delta.size > 0 ? delta_until : 0), INTEGER(m->follows)),
                        NULL, err) &&
           delta_base_keep(tx, m->part, list, err) &&
           store_change(tx, ASK(REVOCATION_LIST_PRUNE, INTEGER(m->part), INTEGER(list->number - 2)),
                        NULL, err);
}

/* When a list is full, further revocations are told by OCSP alone. */
static void fullness_tell(const struct making *m)
{
    if (m->count > ENTRIES_MANY)
        log_event(LOG_WARN, "revocation_list.nearly_full", "part",
                  mem_format(m->owner, "%lld", (long long)m->part), "entries",
                  mem_format(m->owner, "%zu", m->count), "limit",
                  mem_format(m->owner, "%d", ENTRIES_MAX), NULL);
}

/* Every address that certificates of the part name: a relying party looks for the one it used. */
static bool urls_load(struct making *m, const char **urls, struct err *err)
{
    struct rows *rows = NULL;
    if (is_of_all(m->part))
        return true;
    if (!store_rows(m->fleet->db, m->owner, ASK(REVOCATION_PART_URLS, INTEGER(m->part)), &rows,
                    err))
        return false;
    for (size_t i = 0; i < rows->count && i < KEYD_CRL_URLS_MAX; i++)
        urls[i] = rows_text(rows, i, "url");
    return rows->count > 0 ||
           err_set(err, ERR_NOT_FOUND, "there is no revocation list of this number");
}

/* The list of changes before the list, which tells whether there is one. */
static bool list_sign(struct making *m, int64_t now, const char *const *urls, struct err *err)
{
    const struct fleet_settings *settings = m->fleet->settings;
    const struct delta_of changes = {m->part, &m->list, urls};
    /* by the clock: a backup that is restored knows an older number than relying parties have */
    m->follows = m->list.number;
    m->list.number = now > m->follows ? now : m->follows + 1;
    m->list.this_update = now;
    m->list.next_update = now + LIST_SECONDS;
    m->list.entries = (int64_t)m->count;
    if (settings->delta_seconds > 0 && !delta_make(m->fleet, m->owner, &changes, &m->delta, err))
        return false;
    const char *fresh =
        m->delta.size == 0 ? NULL : fleet_revocation_url(m->owner, settings, m->part, true);
    const struct crl_fields fields = {.authority = fleet_revocation_authority(m->part),
                                      .entries = m->entries,
                                      .count = m->count,
                                      .number = m->list.number,
                                      .this_update = now,
                                      .next_update = m->list.next_update,
                                      .urls = urls,
                                      .fresh_urls = (const char *const[]){fresh, NULL}};
    return keyd_sign_crl(m->fleet->keyd, m->owner, &fields, &m->list.der, err);
}

static bool list_try(struct fleet *fleet, int64_t part, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct making m = {.fleet = fleet, .owner = owner, .part = part};
    const char *urls[KEYD_CRL_URLS_MAX + 1] = {NULL};
    bool found = false;
    if (!urls_load(&m, urls, err) || !list_newest(fleet, owner, part, &m.list, &found, err) ||
        !entries_load(&m, now, err))
        return false;
    fullness_tell(&m);
    return list_sign(&m, now, urls, err) && db_transaction(fleet->db, list_save, &m, err);
}

static bool list_make(struct fleet *fleet, int64_t part, int64_t now, struct err *err)
{
    /* Who was first behind the same list may have looked at the certificates before we did. */
    for (int i = 0; i < TRIES; i++) {
        if (list_try(fleet, part, now, err))
            return true;
        if (err->kind != ERR_CONFLICT)
            return false;
    }
    return err_context(err, "the list was made by others %d times", TRIES);
}

/* One of all is made already; those of a retired authority have ended with it. */
static bool part_make(struct fleet *fleet, const struct authorities *all, int64_t part, int64_t now,
                      struct err *err)
{
    const struct authority *issuer = authority_of_number(all, fleet_revocation_authority(part));
    return is_of_all(part) || !issuer || !authority_signs(issuer) ||
           list_make(fleet, part, now, err);
}

bool fleet_revocation_list_make(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *parts = NULL;
    struct authorities all;
    if (!keyd_authorities(fleet->keyd, owner, &all, err) ||
        !store_rows(fleet->db, owner, ASK_ALL(REVOCATION_PART_LIST), &parts, err))
        return false;
    for (size_t i = 0; i < all.count; i++)
        if (authority_signs(&all.list[i]) &&
            !list_make(fleet, fleet_revocation_list_of(all.list[i].number, 0), now, err))
            return false;
    for (size_t i = 0; i < parts->count; i++)
        if (!part_make(fleet, &all, rows_integer(parts, i, "part"), now, err))
            return false;
    return true;
}

char *fleet_revocation_url(void *owner, const struct fleet_settings *settings, int64_t part,
                           bool is_delta)
{
    const char *end = is_delta ? "-delta" : "", *which = "", *at = "";
    int64_t authority = fleet_revocation_authority(part);
    if (authority > 1)
        at = mem_format(owner, "%lld/", (long long)authority);
    if (!is_of_all(part))
        which = mem_format(owner, "-%lld", (long long)(part % REVOCATION_PARTS));
    return mem_format(owner, "%s/ca/%sdevices%s%s.crl", settings->plain_url, at, which, end);
}

/* The part of the address before the name: "…/ca", or "…/ca/2" and "2". One spelling for each. */
static bool authority_read(struct bytes before, int64_t *out)
{
    struct err ignored;
    const char *text = (const char *)before.data;
    size_t start = before.size;
    while (start > 0 && text[start - 1] != '/')
        start--;
    const struct bytes digits = {before.data + start, before.size - start};
    *out = 1;
    if (digits.size == 0 || text[start] < '0' || text[start] > '9')
        return true;
    return text[start] != '0' && number_parse(digits, 2, KEYD_AUTHORITIES_MAX, out, &ignored);
}

static int64_t part_read(const char *name)
{
    const size_t begin = strlen("devices-"), end = strlen(".crl"), size = strlen(name);
    int64_t part = 0;
    struct err ignored;
    if (text_equal(name, "devices.crl"))
        return 0;
    if (size <= begin + end || strncmp(name, "devices-", begin) != 0 || name[begin] == '0' ||
        !text_equal(name + size - end, ".crl"))
        return -1;
    const struct bytes digits = {(const uint8_t *)name + begin, size - begin - end};
    return number_parse(digits, 1, PART_MAX, &part, &ignored) ? part : -1;
}

int64_t fleet_revocation_part_of(const char *url)
{
    const char *slash = strrchr(url, '/'), *name = slash ? slash + 1 : url;
    size_t size = slash ? (size_t)(slash - url) : 0;
    int64_t authority = 1, part = part_read(name);
    if (part < 0 || !authority_read((struct bytes){(const uint8_t *)url, size}, &authority))
        return -1;
    return fleet_revocation_list_of(authority, part);
}

bool revocation_part_use(struct db *tx, int64_t part, const char *url, int64_t now, struct err *err)
{
    int64_t changed = 0;
    return part == 0 ||
           (store_change(tx, ASK(REVOCATION_PART_PUT, INTEGER(part), TEXT(url), INTEGER(now)),
                         &changed, err) &&
            (changed == 0 || crl_due(tx, now, err)));
}

/* A list from the time when a clock was ahead is believed by nobody before its time has come. */
static bool list_holds(const struct revocation_list *list, int64_t now)
{
    return list->next_update > now && list->this_update <= now + CLOCK_SLACK;
}

/* Many ask at once when a list has ended: who was not the first takes what that one made. */
static bool list_refresh(struct fleet *fleet, int64_t part, int64_t now, struct err *err)
{
    return list_try(fleet, part, now, err) || err->kind == ERR_CONFLICT;
}

bool fleet_revocation_part_get(struct fleet *fleet, void *owner, int64_t part, int64_t now,
                               struct revocation_list *out, struct err *err)
{
    struct revocation_list list = {0};
    bool found = false;
    if (!list_newest(fleet, owner, part, &list, &found, err))
        return false;
    if (!found || !list_holds(&list, now)) {
        if (!list_refresh(fleet, part, now, err) ||
            !list_newest(fleet, owner, part, &list, &found, err))
            return false;
    }
    *out = list;
    return found || err_set(err, ERR_UNAVAILABLE, "there is no revocation list yet");
}

static bool delta_newest(struct fleet *fleet, void *owner, int64_t part, int64_t now,
                         struct revocation_list *out, bool *found, struct err *err)
{
    struct revocation_list list = {0};
    if (!store_find(fleet->db, owner, ASK(REVOCATION_DELTA_NEWEST, INTEGER(part)),
                    FIELDS(list_rows), &list, found, err))
        return false;
    *found = *found && list_holds(&list, now);
    if (*found)
        *out = list;
    return true;
}

/* A list that was made within the time of its changes has none: there were too many of them. */
static bool delta_is_due(struct fleet *fleet, void *owner, int64_t part, int64_t now, bool *due,
                         struct err *err)
{
    struct revocation_list list = {0};
    bool found = false;
    if (!list_newest(fleet, owner, part, &list, &found, err))
        return false;
    *due = !found || !list_holds(&list, now) ||
           list.this_update + fleet->settings->delta_seconds <= now;
    return true;
}

bool fleet_revocation_delta_get(struct fleet *fleet, void *owner, int64_t part, int64_t now,
                                struct revocation_list *out, struct err *err)
{
    bool found = false, due = false;
    if (fleet->settings->delta_seconds > 0 &&
        (!delta_newest(fleet, owner, part, now, out, &found, err) ||
         (!found && !delta_is_due(fleet, owner, part, now, &due, err))))
        return false;
    if (due && (!list_refresh(fleet, part, now, err) ||
                !delta_newest(fleet, owner, part, now, out, &found, err)))
        return false;
    return found || err_set(err, ERR_NOT_FOUND, "there is no list of changes");
}

bool fleet_revocation_list_get(struct fleet *fleet, void *owner, int64_t now,
                               struct revocation_list *out, struct err *err)
{
    int64_t current = fleet_authority_number(fleet);
    return fleet_revocation_part_get(fleet, owner, fleet_revocation_list_of(current, 0), now, out,
                                     err);
}

bool fleet_revocation_list_about(struct fleet *fleet, const struct actor *actor, void *owner,
                                 struct revocation_list *out, struct err *err)
{
    struct revocation_list list = {0};
    int64_t current = fleet_revocation_list_of(fleet_authority_number(fleet), 0);
    bool found = false;
    if (!fleet_need(actor, "certificate.read", err) ||
        !store_find(fleet->db, owner, ASK(REVOCATION_LIST_ABOUT, INTEGER(current)),
                    FIELDS(list_rows), &list, &found, err))
        return false;
    if (!found) { /* the first job has not run yet */
        if (!fleet_revocation_list_get(fleet, owner, actor->now, &list, err))
            return false;
        list.der = NO_BYTES;
    }
    list.limit = ENTRIES_MAX;
    *out = list;
    return true;
}
