/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/audit.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "fleet/list.h"
#include "pki/digest.h"
#include "pki/keyd.h"
#include "store/store.h"

#define NUMBER_BATCH 200 /* rows per transaction: well below 20 ms */
#define WALK_BATCH 1000

/* hash(n) = SHA-256(hash(n-1) | canonical JSON of entry n with its position) */
static void chain_hash(const uint8_t before[32], int64_t position, const struct audit_entry *entry,
                       uint8_t out[32])
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    CLEANUP(json_decref_at)
    json_t *json = json_pack("[I, s, s, s, s, s, s, s, s, s?, s, I]", (json_int_t)position,
                             entry->id, entry->actor_kind, entry->actor_id, entry->actor_name,
                             entry->action, entry->subject_kind, entry->subject_id, entry->body,
                             entry->reason, entry->request_id, (json_int_t)entry->at);
    if (!json)
        bug("no audit text");
    const char *text = json_canonical(owner, json);
    struct buffer all;
    buffer_init(&all, owner, 1 << 20);
    buffer_add(&all, (struct bytes){before, 32});
    buffer_text(&all, text);
    if (all.failed)
        bug("an audit entry is larger than its limits allow");
    digest_sha256((struct bytes){all.data, all.size}, out);
}

/* ---- numbering ---- */

struct numbering {
    void *owner;
    bool more;
};

static bool chain_end(struct db *tx, void *owner, int64_t *position, uint8_t hash[32],
                      struct err *err)
{
    struct rows *rows = NULL;
    if (!store_rows(tx, owner, ASK_ALL(AUDIT_LAST), &rows, err))
        return false;
    *position = 0;
    memset(hash, 0, 32);
    if (rows->count == 0)
        return true;
    *position = rows_integer(rows, 0, "position");
    const struct value *value = rows_value(rows, 0, "hash");
    if (value->type != VALUE_BYTES || value->bytes.size != 32)
        return err_set(err, ERR_INTERNAL, "the audit chain has an entry without hash");
    memcpy(hash, value->bytes.data, 32);
    return true;
}

static bool audit_number(struct db *tx, struct numbering *n, struct err *err)
{
    void *items = NULL;
    size_t count = 0;
    int64_t position;
    uint8_t hash[32];
    if (!chain_end(tx, n->owner, &position, hash, err) ||
        !store_list(tx, n->owner, ASK(AUDIT_UNNUMBERED, INTEGER(NUMBER_BATCH)), audit_fields,
                    sizeof(struct audit_entry), &items, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct audit_entry *entry = (const struct audit_entry *)items + i;
        chain_hash(hash, ++position, entry, hash);
        if (!store_change(
                tx, ASK(AUDIT_NUMBER, TEXT(entry->id), INTEGER(position), BYTES(BYTES_OF(hash))),
                NULL, err))
            return false;
    }
    n->more = n->more || count == NUMBER_BATCH;
    return true;
}

static bool event_number(struct db *tx, struct numbering *n, struct err *err)
{
    struct rows *rows = NULL;
    int64_t position = 0;
    if (!store_number(tx, ASK_ALL(EVENT_LAST_POSITION), "position", &position, err) ||
        !store_rows(tx, n->owner, ASK(EVENT_UNNUMBERED, INTEGER(NUMBER_BATCH)), &rows, err))
        return false;
    for (size_t i = 0; i < rows->count; i++)
        if (!store_change(tx,
                          ASK(EVENT_NUMBER, TEXT(rows_text(rows, i, "id")),
                              INTEGER(position + 1 + (int64_t)i)),
                          NULL, err))
            return false;
    n->more = n->more || rows->count == NUMBER_BATCH;
    return true;
}

static bool number_run(struct db *tx, void *context, struct err *err)
{
    struct numbering *n = context;
    n->more = false;
    return audit_number(tx, n, err) && event_number(tx, n, err);
}

static bool anything_unnumbered(struct fleet *fleet, void *owner, bool *any, struct err *err)
{
    struct rows *audit = NULL, *events = NULL;
    if (!store_rows(fleet->db, owner, ASK(AUDIT_UNNUMBERED, INTEGER(1)), &audit, err) ||
        !store_rows(fleet->db, owner, ASK(EVENT_UNNUMBERED, INTEGER(1)), &events, err))
        return false;
    *any = audit->count > 0 || events->count > 0;
    return true;
}

bool fleet_number(struct fleet *fleet, int64_t now, bool *more, struct err *err)
{
    (void)now; /* positions carry no time of their own */
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct numbering numbering = {.owner = owner};
    bool any = false;
    if (!anything_unnumbered(fleet, owner, &any, err))
        return false;
    if (any && !db_transaction(fleet->db, number_run, &numbering, err))
        return false;
    *more = numbering.more;
    return true;
}

/* ---- signed heads ---- */

struct head {
    int64_t position, at;
    struct bytes hash, signature;
};
static const struct field head_rows[] = {
    INTEGER_FIELD(struct head, position, 0),
    TIME_FIELD(struct head, at, 0),
    BYTES_FIELD(struct head, hash, 0),
    BYTES_FIELD(struct head, signature, 0),
};

static bool head_save(struct db *tx, void *context, struct err *err)
{
    const struct head *head = context;
    return store_change(tx,
                        ASK(AUDIT_HEAD_INSERT, INTEGER(head->position), BYTES(head->hash),
                            BYTES(head->signature), INTEGER(head->at)),
                        NULL, err);
}

/* What the key process signed last must still stand where it stood: a chain that was cut and grew
 * again is not signed. */
static bool signed_before(struct fleet *fleet, void *owner, struct err *err)
{
    struct rows *rows = NULL;
    int64_t position = 0;
    uint8_t hash[32] = {0};
    if (!keyd_audit_head(fleet->keyd, &position, hash, err))
        return false;
    if (position == 0)
        return true;
    if (!store_rows(fleet->db, owner, ASK(AUDIT_WALK, INTEGER(position - 1), INTEGER(1)), &rows,
                    err))
        return false;
    const struct value *value = rows->count > 0 ? rows_value(rows, 0, "hash") : NULL;
    if (value && rows_integer(rows, 0, "position") == position &&
        bytes_equal(value->bytes, BYTES_OF(hash)))
        return true;
    return err_set(err, ERR_CONFLICT,
                   "the audit up to entry %" PRId64 " was signed and is missing or changed now",
                   position);
}

bool fleet_audit_sign(struct fleet *fleet, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    uint8_t hash[32];
    struct head last = {0}, head = {.at = now, .hash = BYTES_OF(hash)};
    bool found = false;
    if (!chain_end(fleet->db, owner, &head.position, hash, err) ||
        !store_find(fleet->db, owner, ASK_ALL(AUDIT_HEAD_LAST), FIELDS(head_rows), &last, &found,
                    err))
        return false;
    if (!signed_before(fleet, owner, err))
        return false;
    if (head.position == 0 || head.position == last.position)
        return true;
    return keyd_sign_audit(fleet->keyd, owner, head.position, hash, now, &head.signature, err) &&
           db_transaction(fleet->db, head_save, &head, err);
}

/* ---- verify ---- */

struct walk {
    struct fleet *fleet;
    void *owner;
    const struct audit_range *range;
    int64_t position;
    uint8_t hash[32];
    struct head head; /* the next signed head; position 0 = none left */
    bool head_known;
    int64_t signed_last; /* by the key process; its hash below */
    uint8_t signed_hash[32];
    struct audit_verdict *verdict;
};

static bool broken(struct walk *walk, const char *why)
{
    walk->verdict->is_intact = false;
    walk->verdict->problem = mem_format(walk->owner, "entry %" PRId64 ": %s", walk->position, why);
    return true;
}

static bool head_next(struct walk *walk, struct err *err)
{
    struct head head = {0};
    bool found = false;
    if (!store_find(walk->fleet->db, walk->owner,
                    ASK(AUDIT_HEAD_WALK, INTEGER(walk->head.position), INTEGER(1)),
                    FIELDS(head_rows), &head, &found, err))
        return false;
    walk->head_known = found;
    if (found)
        walk->head = head;
    return true;
}

/* The key process remembers what it signed last, whatever the database says. */
static bool memory_check(struct walk *walk)
{
    return walk->position != walk->signed_last ||
           memcmp(walk->hash, walk->signed_hash, sizeof(walk->hash)) == 0 ||
           !broken(walk, "the chain differs from what the key process signed");
}

/* A signed head must agree with the chain as it stands. */
static bool head_check(struct walk *walk, struct err *err)
{
    struct err why;
    if (!memory_check(walk))
        return true;
    if (!walk->head_known || walk->head.position != walk->position)
        return true;
    if (!bytes_equal(walk->head.hash, BYTES_OF(walk->hash)))
        return broken(walk, "the chain differs from its signed head");
    if (!keyd_verify_audit(walk->fleet->keyd, walk->position, walk->hash, walk->head.at,
                           walk->head.signature, &why)) {
        if (why.kind == ERR_UNAVAILABLE) {
            *err = why;
            return false;
        }
        return broken(walk, "the signature of the head is wrong");
    }
    walk->verdict->signed_position = walk->position;
    return head_next(walk, err);
}

static bool entry_check(struct walk *walk, const struct audit_entry *entry, struct err *err)
{
    uint8_t hash[32];
    walk->position++;
    if (entry->position != walk->position)
        return broken(walk, "it is missing");
    chain_hash(walk->hash, walk->position, entry, hash);
    if (!bytes_equal(entry->hash, BYTES_OF(hash)))
        return broken(walk, "its content or its place was changed");
    memcpy(walk->hash, hash, sizeof(hash));
    walk->verdict->entries++;
    return head_check(walk, err);
}

static bool walk_batch(struct walk *walk, bool *more, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    void *items = NULL;
    size_t count = 0;
    int64_t left = walk->range->most - walk->verdict->entries;
    int64_t batch = left < WALK_BATCH ? left : WALK_BATCH;
    if (!store_list(walk->fleet->db, owner,
                    ASK(AUDIT_WALK, INTEGER(walk->position), INTEGER(batch)), audit_fields,
                    sizeof(struct audit_entry), &items, &count, err))
        return false;
    for (size_t i = 0; i < count && walk->verdict->is_intact; i++)
        if (!entry_check(walk, (const struct audit_entry *)items + i, err))
            return false;
    if (!walk->verdict->is_intact)
        return true;
    *more = (int64_t)count == batch && batch < left;
    if ((int64_t)count == left)
        walk->verdict->next = walk->position;
    return true;
}

/* Where a part begins stands what the one before it ended with. */
static bool walk_begin(struct walk *walk, struct err *err)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct rows *rows = NULL;
    int64_t after = walk->range->after;
    walk->position = walk->head.position = after;
    if (after > 0) {
        if (!store_rows(walk->fleet->db, owner, ASK(AUDIT_WALK, INTEGER(after - 1), INTEGER(1)),
                        &rows, err))
            return false;
        const struct value *hash = rows->count > 0 ? rows_value(rows, 0, "hash") : NULL;
        if (!hash || rows_integer(rows, 0, "position") != after ||
            hash->bytes.size != sizeof(walk->hash))
            return broken(walk, "it is missing");
        memcpy(walk->hash, hash->bytes.data, sizeof(walk->hash));
    }
    return head_next(walk, err);
}

/* Everything that was signed is there, and so are the signatures. */
static void end_check(struct walk *walk)
{
    int64_t there = walk->position;
    if (walk->signed_last > there) {
        walk->position = there + 1;
        (void)broken(walk, mem_format(walk->owner,
                                      "entries up to %" PRId64 " were signed and are missing",
                                      walk->signed_last));
    } else if (walk->head_known) {
        walk->position = walk->head.position;
        (void)broken(walk, "it was signed and is missing now");
    } else if (walk->signed_last > walk->verdict->signed_position &&
               walk->signed_last > walk->range->after) {
        walk->position = walk->signed_last;
        (void)broken(walk, "the head that was signed here is missing");
    }
}

static bool verify(struct fleet *fleet, void *owner, const struct audit_range *range,
                   struct audit_verdict *out, struct err *err)
{
    struct audit_verdict verdict = {.is_intact = true};
    struct walk walk = {.fleet = fleet, .owner = owner, .range = range, .verdict = &verdict};
    if (!keyd_audit_head(fleet->keyd, &walk.signed_last, walk.signed_hash, err) ||
        !walk_begin(&walk, err))
        return false;
    bool more = verdict.is_intact;
    while (more) {
        more = false;
        if (!walk_batch(&walk, &more, err))
            return false;
    }
    if (verdict.is_intact && !verdict.next)
        end_check(&walk);
    *out = verdict;
    return true;
}

bool fleet_audit_verify(struct fleet *fleet, const struct actor *actor, void *owner,
                        const struct audit_range *range, struct audit_verdict *out, struct err *err)
{
    struct audit_verdict verdict = {0};
    if (!fleet_need(actor, "audit.read", err) || !verify(fleet, owner, range, &verdict, err))
        return false;
    /* between a signature and its row there is a moment: what is missing stays missing */
    if (!verdict.is_intact && !verify(fleet, owner, range, &verdict, err))
        return false;
    *out = verdict;
    return true;
}

bool fleet_audit_list(struct fleet *fleet, const struct actor *actor, void *owner,
                      const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {.fields = audit_fields,
                              .item_size = sizeof(struct audit_entry),
                              .permission = "audit.read",
                              .cursor_field = "position"};
    int64_t before = list_cursor_number(page, INT64_MAX);
    return list_read(fleet, actor, owner,
                     ASK(AUDIT_LIST, INTEGER(before), INTEGER(page->limit + 1)), page, &listing,
                     out, err);
}
