/* SPDX-License-Identifier: Apache-2.0 */
#include "server/authority.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/mem.h"
#include "keyd/external.h"
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
