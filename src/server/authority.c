/* SPDX-License-Identifier: Apache-2.0 */
#include "server/authority.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mem.h"
#include "base/text.h"
#include "fleet/authority.h"
#include "keyd/external.h"
#include "keyd/rollover.h"
#include "server/admin.h"
#include "server/directories.h"

struct keyd_options authority_keys(void *owner, const struct options *options)
{
    return (struct keyd_options){.directory =
                                     mem_format(owner, "%s/" DIRECTORY_KEYS, options->data_dir),
                                 .organization = options->organization,
                                 .allows_legacy = options->legacy_algorithms,
                                 .credentials_directory = getenv("CREDENTIALS_DIRECTORY"),
                                 .key_user = options->keyd_user};
}

static int failed(const struct err *err)
{
    (void)fprintf(stderr, "musterd: %s\n", err->text);
    if (err->remedy)
        (void)fprintf(stderr, "%s\n", err->remedy);
    return 2;
}

int authority_request(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    char *pem;
    struct err err;
    if (!directories_make(options, &locks, &err) ||
        !keyd_external_request(owner, &keys, &pem, &err))
        return failed(&err);
    return fputs(pem, stdout) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

int authority_import(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct bytes chain;
    struct err err;
    if (!file_read(owner, options->words[0], EXTERNAL_CHAIN_MAX, &chain, &err) ||
        !directories_make(options, &locks, &err) ||
        !keyd_external_import(&keys, chain, clock_now(), &err))
        return failed(&err);
    (void)fputs("The issuing CA stands under the new root. The key of the root before it is "
                "keys/root.key.own:\nkeep it elsewhere or destroy it.\n",
                stderr);
    return 0;
}

/* ---- from one authority to the next ---- */

/* What the database says, asked by a child that becomes the server's user: who goes on becomes
 * keyd's. */
struct look {
    bool (*count)(struct fleet *fleet, const struct look *look, int64_t *out, struct err *err);
    int64_t number;
};

struct looked { /* through a pipe */
    bool is_good;
    int64_t count;
    char text[400];
};

static void look_run(const struct options *options, const struct look *look, struct looked *out)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct fleet *fleet;
    struct err err;
    out->is_good =
        admin_open(owner, options, &fleet, &err) && look->count(fleet, look, &out->count, &err);
    if (!out->is_good)
        (void)snprintf(out->text, sizeof(out->text), "%s", err.text);
}

static bool look_take(const struct options *options, const struct look *look, int64_t *count,
                      struct err *err)
{
    struct looked found = {.is_good = false};
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_INTERNAL, "pipe: %m");
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        look_run(options, look, &found);
        _exit(write(ends[1], &found, sizeof(found)) != (ssize_t)sizeof(found));
    }
    (void)close(ends[1]);
    bool whole = child > 0 && read(ends[0], &found, sizeof(found)) == (ssize_t)sizeof(found);
    (void)close(ends[0]);
    if (child > 0)
        (void)waitpid(child, &status, 0);
    if (!whole)
        return err_set(err, ERR_INTERNAL, "the database was not asked");
    if (!found.is_good)
        return err_set(err, ERR_UNAVAILABLE, "asking the database: %s", found.text);
    *count = found.count;
    return true;
}

static bool count_untrusting(struct fleet *fleet, const struct look *look, int64_t *out,
                             struct err *err)
{
    (void)look;
    return fleet_authority_untrusting(fleet, out, err);
}

static bool count_living(struct fleet *fleet, const struct look *look, int64_t *out,
                         struct err *err)
{
    return fleet_authority_living(fleet, look->number, clock_now(), out, err);
}

static bool serve_check(const struct options *options, struct err *err)
{
    const struct look look = {.count = count_untrusting};
    int64_t count = 0;
    if (text_equal(options->words[0], AUTHORITY_ANYWAY))
        return true;
    if (!look_take(options, &look, &count, err))
        return false;
    if (count == 0)
        return true;
    (void)err_set(err, ERR_PRECONDITION,
                  "%lld devices have not confirmed the root of the current authority: they would "
                  "not find the server any more",
                  (long long)count);
    err->remedy = "wait until muster authority list counts none; or give them up with --anyway";
    return false;
}

static bool retire_check(const struct options *options, int64_t number, struct err *err)
{
    const struct look look = {.count = count_living, .number = number};
    int64_t count = 0;
    if (!look_take(options, &look, &count, err))
        return false;
    return count == 0 ||
           err_set(err, ERR_PRECONDITION, "%lld certificates of authority %lld are good still",
                   (long long)count, (long long)number);
}

int authority_list(void *owner, const struct options *options)
{
    static const char *const roles[] = {"", "next", "current", "earlier", "retired"};
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct rollover all;
    struct err err;
    if (!directories_make(options, &locks, &err) || !keyd_rollover_list(owner, &keys, &all, &err))
        return failed(&err);
    for (size_t i = 0; i < all.count; i++) {
        const struct rollover_row *row = &all.rows[i];
        (void)printf("%lld %-8s root until %s, issuing CA until %s, SHA-256 of the root %s%s\n",
                     (long long)row->number, roles[row->role],
                     time_text(owner, row->root_not_after),
                     time_text(owner, row->issuing_not_after), row->root_sha256,
                     row->certifies_tls ? ", certifies the servers" : "");
    }
    return 0;
}

int authority_prepare(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct err err;
    int64_t number = 0;
    if (!directories_make(options, &locks, &err) ||
        !keyd_rollover_prepare(&keys, clock_now(), &number, &err))
        return failed(&err);
    (void)printf("Authority %lld is prepared. Devices get its root from the next start on.\n",
                 (long long)number);
    return 0;
}

int authority_switch(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct err err;
    int64_t number = 0;
    if (!directories_make(options, &locks, &err) ||
        !keyd_rollover_switch(&keys, clock_now(), &number, &err))
        return failed(&err);
    (void)printf("Authority %lld issues from the next start on.\n", (long long)number);
    return 0;
}

int authority_serve(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct err err;
    int64_t number = 0;
    if (!directories_make(options, &locks, &err) || !serve_check(options, &err) ||
        !keyd_rollover_serve(&keys, clock_now(), &number, &err))
        return failed(&err);
    (void)printf("The servers' certificates are from authority %lld, from the next start on.\n",
                 (long long)number);
    return 0;
}

int authority_retire(void *owner, const struct options *options)
{
    const struct keyd_options keys = authority_keys(owner, options);
    struct house_locks locks;
    struct err err;
    int64_t number = 0;
    if (!number_parse(bytes_text(options->words[0]), 1, KEYD_AUTHORITIES_MAX, &number, &err) ||
        !directories_make(options, &locks, &err) || !retire_check(options, number, &err) ||
        !keyd_rollover_retire(&keys, number, clock_now(), &err))
        return failed(&err);
    (void)printf("Authority %lld is retired; its keys are destroyed.\n", (long long)number);
    return 0;
}
