/* SPDX-License-Identifier: Apache-2.0 */
/* The table of background work. */
#include "base/mem.h"
#include "jobs/runner.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

const struct job_row job_rows[] = {
    {.name = "resolve", .handle = job_resolve, .idle_ms = 5 * SECOND, .threads = 1},
    {.name = "plan", .handle = job_plan, .idle_ms = 5 * SECOND, .threads = 1},
    {.name = "wake",
     .open = job_wake_open,
     .run = job_wake,
     .idle_ms = SECOND / 2,
     .runs_at_end = true,
     .threads = 1},
    {.name = "inventory", .handle = job_inventory, .idle_ms = MINUTE, .threads = 1},
    {.name = "sweep",
     .open = job_sweep_open,
     .run = job_sweep,
     .idle_ms = MINUTE,
     .is_periodic = true,
     .threads = 1},
    {.name = "push_warn", .run = job_push_warn, .idle_ms = HOUR, .is_periodic = true, .threads = 1},
    {.name = "enrolment_service",
     .open = job_service_open,
     .handle = job_service,
     .idle_ms = 5 * SECOND,
     .threads = 1},
    {.name = "setup", .handle = job_setup, .idle_ms = SECOND, .threads = 1},
    {.name = "service_warn",
     .run = job_service_warn,
     .idle_ms = HOUR,
     .is_periodic = true,
     .threads = 1},
    {.name = "revocation_list", .handle = job_revocation_list, .idle_ms = 5 * SECOND, .threads = 1},
    {.name = "number", .run = job_number, .idle_ms = SECOND, .runs_at_end = true, .threads = 1},
    {.name = "audit_sign",
     .run = job_audit_sign,
     .idle_ms = MINUTE,
     .is_periodic = true,
     .threads = 1},
    {.name = "evaluate", .run = job_evaluate, .idle_ms = MINUTE, .is_periodic = true, .threads = 1},
    {.name = "expire", .run = job_expire, .idle_ms = MINUTE, .is_periodic = true, .threads = 1},
    {.name = "renew", .run = job_renew, .idle_ms = MINUTE, .is_periodic = true, .threads = 1},
    {.name = "prune", .run = job_prune, .idle_ms = HOUR, .is_periodic = true, .threads = 1},
    {.name = "contacts",
     .run = job_contacts,
     .idle_ms = 5 * SECOND,
     .is_periodic = true,
     .runs_at_end = true,
     .threads = 1},
};
const size_t job_row_count = COUNT(job_rows);
