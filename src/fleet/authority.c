/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/authority.h"

#include "base/log.h"
#include "base/text.h"
#include "fleet/door.h"
#include "fleet/shared.h"
#include "pki/authorities.h"
#include "pki/certificate.h"
#include "pki/digest.h"
#include "store/store.h"

/* ---- what the database remembers ---- */

struct seen {
    const struct authority_record *rows;
    size_t count;
};

static bool seen_load(struct db *db, void *owner, struct seen *out, struct err *err)
{
    void *rows = NULL;
    size_t count = 0;
    if (!store_list(db, owner, ASK_ALL(AUTHORITY_LIST), authority_stored_fields,
                    sizeof(struct authority_record), &rows, &count, err))
        return false;
    *out = (struct seen){rows, count};
    return true;
}

static const struct authority_record *seen_find(const struct seen *seen, int64_t number)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->rows[i].number == number)
            return &seen->rows[i];
    return NULL;
}

/* ---- the check ---- */

static bool is_another(const char *found, const char *wanted, struct err *err)
{
    (void)err_set(
        err, ERR_PRECONDITION,
        "the root certificate in keys/ has the SHA-256 %.16s..., this database belongs to "
        "%.16s...: its devices trust that one alone",
        found, wanted);
    err->remedy = "put the directory keys/ of this database back from its backup, in place of the "
                  "one that is there; or begin with an empty database";
    return false;
}

static bool is_older(const struct authority_record *row, int role, struct err *err)
{
    (void)err_set(err, ERR_PRECONDITION,
                  "authority %lld is %s in keys/, and was %s already when this database was used "
                  "last",
                  (long long)row->number, authority_role_names[role],
                  authority_role_names[row->role]);
    err->remedy = "put a newer backup of the directory keys/ back, or take the step again: musterd "
                  "authority switch or retire";
    return false;
}

/* Each that the database knows is there with the same root, and has not gone back. */
static bool lineage_check(void *scratch, const struct seen *seen, const struct authorities *all,
                          struct err *err)
{
    for (size_t i = 0; i < seen->count; i++) {
        const struct authority_record *row = &seen->rows[i];
        const struct authority *there = authority_of_number(all, row->number);
        const struct authority *shown = there ? there : authority_of_role(all, AUTHORITY_CURRENT);
        const char *found = digest_sha256_hex(scratch, shown->root);
        if (!there || !text_equal(found, row->root_sha256))
            return is_another(found, row->root_sha256, err);
        if ((int)there->role < row->role)
            return is_older(row, (int)there->role, err);
    }
    return true;
}

/* ---- what has changed ---- */

struct taking {
    void *owner;
    const struct authorities *all;
    int64_t now;
    bool changed; /* what devices trust, or who issues */
};

static bool record_make(const struct taking *t, const struct authority *one,
                        struct authority_record *out, struct err *err)
{
    struct certificate root, issuing;
    if (!certificate_parse(t->owner, one->root, &root, err) ||
        !certificate_parse(t->owner, one->issuing, &issuing, err))
        return false;
    *out = (struct authority_record){.number = one->number,
                                     .role = (int)one->role,
                                     .since = one->since,
                                     .root_sha256 = digest_sha256_hex(t->owner, one->root),
                                     .root_not_after = root.not_after,
                                     .issuing_not_after = issuing.not_after,
                                     .certifies_servers = t->all->tls_number == one->number};
    return true;
}

static bool role_tell(struct db *tx, const struct taking *t, const struct authority_record *record,
                      struct err *err)
{
    const struct actor system = fleet_system_actor(t->now);
    const char *number = mem_format(t->owner, "%lld", (long long)record->number);
    const char *role = authority_role_names[record->role];
    const char *body =
        json_pairs(t->owner, "authority", number, "role", role, "root", record->root_sha256, NULL);
    const struct change audited = {.actor = &system,
                                   .action = "authority.change",
                                   .subject_kind = "authority",
                                   .subject_id = number,
                                   .detail = body};
    return change_audit(tx, &audited, err) &&
           event_add(tx, "authority.changed", NULL, body, t->now, err);
}

static bool row_write(struct db *tx, const struct authority_record *r, bool is_new, struct err *err)
{
    const char *role = authority_role_names[r->role];
    return is_new
               ? store_change(tx,
                              ASK(AUTHORITY_INSERT, INTEGER(r->number), TEXT(role), TIME(r->since),
                                  TEXT(r->root_sha256), INTEGER(r->root_not_after),
                                  INTEGER(r->issuing_not_after), INTEGER(r->certifies_servers)),
                              NULL, err)
               : store_change(tx,
                              ASK(AUTHORITY_UPDATE, INTEGER(r->number), TEXT(role), TIME(r->since),
                                  INTEGER(r->root_not_after), INTEGER(r->issuing_not_after),
                                  INTEGER(r->certifies_servers)),
                              NULL, err);
}

/* What an earlier one has issued is renewed at moments of its own: fleet/renew.c. */
static bool authority_take(struct db *tx, struct taking *t, const struct seen *seen,
                           const struct authority *one, struct err *err)
{
    const struct authority_record *row = seen_find(seen, one->number);
    struct authority_record record;
    if (!record_make(t, one, &record, err) || !row_write(tx, &record, !row, err))
        return false;
    bool is_first = !row && seen->count == 0 && one->role == AUTHORITY_CURRENT;
    if (is_first || (row && row->role == record.role))
        return true;
    t->changed = true;
    if (!role_tell(tx, t, &record, err))
        return false;
    return one->role != AUTHORITY_EARLIER ||
           store_change(tx, ASK(RENEWAL_BRING_FORWARD, INTEGER(one->number), INTEGER(t->now)), NULL,
                        err);
}

static bool take_run(struct db *tx, void *context, struct err *err)
{
    struct taking *t = context;
    struct seen seen;
    t->changed = false;
    if (!seen_load(tx, t->owner, &seen, err) || !lineage_check(t->owner, &seen, t->all, err))
        return false;
    for (size_t i = 0; i < t->all->count; i++)
        if (!authority_take(tx, t, &seen, &t->all->list[i], err))
            return false;
    return !t->changed || (store_change(tx, ASK_ALL(SERVICE_PROFILE_AGAIN), NULL, err) &&
                           store_change(tx, ASK_ALL(DESIRED_UNPLAN_ALL), NULL, err) &&
                           job_add(tx, "plan", "all", t->now, err));
}

/* One root alone comes with the enrolment; several are an item of their own. */
static void memory_set(struct fleet_shared *shared, const struct authorities *all)
{
    size_t count = 0;
    const struct bytes *roots = authority_roots(shared, all, &count);
    struct bytes *kept = mem_array(shared, struct bytes, count);
    for (size_t i = 0; i < count; i++)
        kept[i] = bytes_copy(shared, roots[i]);
    shared->roots = count > 1 ? kept : NULL;
    shared->root_count = count > 1 ? count : 0;
    atomic_store(&shared->signer, all->tls_number);
    atomic_store(&shared->authority, authority_of_role(all, AUTHORITY_CURRENT)->number);
}

bool fleet_authority_check(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct authorities all;
    struct taking taking = {.owner = scratch, .all = &all, .now = now};
    if (!keyd_authorities(fleet->keyd, scratch, &all, err))
        return false;
    if (!authority_of_role(&all, AUTHORITY_CURRENT))
        return err_set(err, ERR_INTERNAL, "the key process knows no current authority");
    if (!db_transaction(fleet->db, take_run, &taking, err))
        return false;
    memory_set(fleet->shared, &all);
    return true;
}

int64_t fleet_authority_signer(const struct fleet *fleet)
{
    return atomic_load(&fleet->shared->signer);
}

int64_t fleet_authority_number(const struct fleet *fleet)
{
    return atomic_load(&fleet->shared->authority);
}

/* ---- how far it has come ---- */

bool fleet_authority_living(struct fleet *fleet, int64_t number, int64_t now, int64_t *count,
                            struct err *err)
{
    return store_number(fleet->db, ASK(AUTHORITY_LIVING, INTEGER(number), INTEGER(now)), "count",
                        count, err);
}

bool fleet_authority_untrusting(struct fleet *fleet, int64_t *count, struct err *err)
{
    return store_number(fleet->db, ASK(AUTHORITY_UNTRUSTING, TEXT(TRUST_ITEM)), "count", count,
                        err);
}

static bool record_count(struct fleet *fleet, struct authority_record *record, int64_t now,
                         struct err *err)
{
    bool is_coming = fleet->shared->root_count > 0 &&
                     (record->role == AUTHORITY_NEXT || record->role == AUTHORITY_CURRENT);
    return fleet_authority_living(fleet, record->number, now, &record->certificates, err) &&
           store_number(fleet->db, ASK(AUTHORITY_DEVICES, INTEGER(record->number)), "count",
                        &record->devices, err) &&
           (!is_coming || fleet_authority_untrusting(fleet, &record->devices_waiting, err));
}

bool fleet_authority_list(struct fleet *fleet, const struct actor *actor, void *owner,
                          struct list *out, struct err *err)
{
    void *rows = NULL;
    size_t count = 0;
    if (!fleet_need(actor, "certificate.read", err) ||
        !store_list(fleet->db, owner, ASK_ALL(AUTHORITY_LIST), authority_stored_fields,
                    sizeof(struct authority_record), &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!record_count(fleet, &((struct authority_record *)rows)[i], actor->now, err))
            return false;
    *out = (struct list){.items = rows, .count = count};
    return true;
}
