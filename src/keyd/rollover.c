/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/rollover.h"

#include "base/clock.h"
#include "base/text.h"
#include "keyd/enter.h"

/* ---- what there is ---- */

static void row_fill(void *owner, const struct vault *vault, const struct generation *generation,
                     struct rollover_row *out)
{
    const struct identity *root = &generation->identities[IDENTITY_ROOT];
    const struct identity *issuing = &generation->identities[IDENTITY_ISSUING];
    *out = (struct rollover_row){.number = generation->number,
                                 .role = generation->role,
                                 .since = generation->since,
                                 .root_sha256 = digest_sha256_hex(owner, root->der),
                                 .root_not_after = build_not_after(root->certificate),
                                 .issuing_not_after = build_not_after(issuing->certificate),
                                 .certifies_tls = vault->tls_number == generation->number};
}

bool keyd_rollover_list(void *owner, const struct keyd_options *options, struct rollover *out,
                        struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, clock_now(), &vault, err))
        return false;
    struct rollover_row *rows = mem_array(owner, struct rollover_row, vault->generation_count);
    for (size_t i = 0; i < vault->generation_count; i++)
        row_fill(owner, vault, &vault->generations[i], &rows[i]);
    *out = (struct rollover){rows, vault->generation_count};
    return true;
}

/* ---- the steps ---- */

/* In the journal first: what is on the disk was told. */
static bool step_keep(struct vault *vault, const char *what, const struct generation *generation,
                      int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    const char *facts =
        mem_format(scratch, "authority=%lld root=%s", (long long)generation->number,
                   digest_sha256_hex(scratch, generation->identities[IDENTITY_ROOT].der));
    return journal_add(vault->journal, now, what, facts, err) && vault_list_save(vault, err);
}

bool keyd_rollover_prepare(const struct keyd_options *options, int64_t now, int64_t *number,
                           struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, now, &vault, err))
        return false;
    const struct generation *there = vault_role(vault, AUTHORITY_NEXT);
    if (there)
        return err_set(err, ERR_PRECONDITION, "authority %lld is prepared already",
                       (long long)there->number);
    if (vault->generation_count == GENERATIONS_MAX)
        return err_set(err, ERR_PRECONDITION, "there were %d authorities: no further one fits",
                       GENERATIONS_MAX);
    struct generation *next = &vault->generations[vault->generation_count];
    *next =
        (struct generation){.number = next[-1].number + 1, .role = AUTHORITY_NEXT, .since = now};
    vault->generation_count++; /* what was opened of it is freed with the vault */
    if (!generation_open(vault, next, true, now, err) ||
        !step_keep(vault, "prepare", next, now, err))
        return false;
    *number = next->number;
    return true;
}

bool keyd_rollover_switch(const struct keyd_options *options, int64_t now, int64_t *number,
                          struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, now, &vault, err))
        return false;
    struct generation *next = vault_role(vault, AUTHORITY_NEXT);
    struct generation *current = vault_current(vault);
    if (!next)
        return err_set(err, ERR_PRECONDITION, "no next authority was prepared");
    current->role = AUTHORITY_EARLIER;
    next->role = AUTHORITY_CURRENT;
    current->since = next->since = now;
    if (!step_keep(vault, "switch", next, now, err))
        return false;
    *number = next->number;
    return true;
}

bool keyd_rollover_serve(const struct keyd_options *options, int64_t now, int64_t *number,
                         struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, now, &vault, err))
        return false;
    const struct generation *current = vault_current(vault);
    vault->tls_number = current->number;
    if (!step_keep(vault, "serve", current, now, err))
        return false;
    *number = current->number;
    return true;
}

static bool retire_check(struct vault *vault, int64_t number, struct err *err)
{
    const struct generation *meant = vault_number(vault, number);
    if (!meant)
        return err_set(err, ERR_NOT_FOUND, "there is no authority %lld", (long long)number);
    if (meant->role == AUTHORITY_CURRENT)
        return err_set(err, ERR_PRECONDITION, "authority %lld is the one that issues",
                       (long long)number);
    return vault->tls_number != number ||
           err_set(err, ERR_PRECONDITION,
                   "authority %lld certifies the servers: musterd authority serve comes first",
                   (long long)number);
}

bool keyd_rollover_retire(const struct keyd_options *options, int64_t number, int64_t now,
                          struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct vault *vault;
    if (!keyd_enter(options, scratch, now, &vault, err) || !retire_check(vault, number, err))
        return false;
    struct generation *meant = vault_number(vault, number);
    bool was_retired = meant->role == AUTHORITY_RETIRED;
    if (!was_retired) {
        meant->role = AUTHORITY_RETIRED;
        meant->since = now;
    }
    return (was_retired || step_keep(vault, "retire", meant, now, err)) &&
           generation_destroy(vault, number, err);
}
