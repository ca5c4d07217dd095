/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/pruning.h"

#include "fleet/audit.h"
#include "fleet/upkeep.h"

void pruning_keep(struct fixture *f)
{
    f->settings.retention = (struct retention){.event_seconds = 90 * DAY,
                                               .command_seconds = 90 * DAY,
                                               .attempt_seconds = 30 * DAY,
                                               .token_seconds = 30 * DAY};
}

bool pruning_try(struct fixture *f, const char *what, int64_t *count, struct err *err)
{
    for (size_t i = 0; i < fleet_prune_rules(); i++) {
        struct pruned pruned;
        bool worked = fleet_prune(f->fleet, i, f->now, &pruned, err);
        if (strcmp(pruned.what, what) == 0) {
            *count = pruned.count;
            return worked;
        }
    }
    fail_msg("no rule for %s", what);
    return false;
}

int64_t pruning_run(struct fixture *f, const char *what)
{
    struct err err;
    int64_t count = 0;
    assert_works(pruning_try(f, what, &count, &err), err);
    return count;
}

int64_t pruning_run_all(struct fixture *f)
{
    int64_t count = 0;
    for (size_t i = 0; i < fleet_prune_rules(); i++) {
        struct pruned pruned;
        struct err err;
        assert_works(fleet_prune(f->fleet, i, f->now, &pruned, &err), err);
        count += pruned.count;
    }
    return count;
}

void pruning_number(struct fixture *f)
{
    struct err err;
    for (bool more = true; more;)
        assert_works(fleet_number(f->fleet, f->now, &more, &err), err);
}

size_t pruning_count(struct fixture *f, const struct statement *statement)
{
    return fixture_look(f, statement, NO_ARGS)->count;
}
