/* SPDX-License-Identifier: Apache-2.0 */
#include "server/advice.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/config.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/attestation.h"
#include "pki/signed.h"

#define ROOTS_SIZE_MAX 262144 /* bytes of a file */

static const char *accounts(void *owner, const struct options *options)
{
    (void)owner;
    return geteuid() == 0 && !(*options->user && *options->keyd_user && *options->edge_user)
               ? "started as root: give [users] user, keyd_user and edge_user"
               : NULL;
}

static const char *open_files(void *owner, const struct options *options)
{
    struct rlimit limit;
    long long wanted = options_edge_files(options);
    if (options->edge_mode == EDGE_MODE_EXTERNAL || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_max >= (rlim_t)wanted)
        return NULL;
    return mem_format(owner,
                      "[edge] connections = %lld needs %lld open files, the limit is %llu: raise "
                      "LimitNOFILE of the service (ulimit -Hn), or lower connections",
                      (long long)options->edge_connections, wanted,
                      (unsigned long long)limit.rlim_max);
}

static const char *low_ports(void *owner, const struct options *options)
{
    (void)owner;
    return options_want_low_ports(options) && geteuid() != 0 &&
                   prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_BIND_SERVICE, 0, 0) != 1
               ? "a port below 1024 needs a start as root, or CAP_NET_BIND_SERVICE as an ambient "
                 "capability"
               : NULL;
}

/* Words are seen by every account of the machine. */
static const char *password(void *owner, const struct options *options)
{
    (void)owner;
    for (size_t i = 0; i < options->argument_count; i++)
        if (text_starts(options->arguments[i], "server.database=") &&
            strstr(options->arguments[i], "password"))
            return "a password on the command line is seen by every account: use a passfile";
    return NULL;
}

/* The certificates of makers, by which devices are believed. */
static const char *roots(void *owner, const char *key, const char *path,
                         bool (*check)(struct bytes pem, size_t *count, struct err *err))
{
    struct bytes pem;
    size_t count;
    struct err err;
    if (!*path || (file_read(owner, path, ROOTS_SIZE_MAX, &pem, &err) && check(pem, &count, &err)))
        return NULL;
    return mem_format(owner, "[apple] %s proves nothing: %s", key, err.text);
}

static const char *device_roots(void *owner, const struct options *options)
{
    return roots(owner, "device_ca_file", options->device_ca_file, anchors_check);
}

static const char *attestation_roots(void *owner, const struct options *options)
{
    return roots(owner, "attestation_ca_file", options->attestation_ca_file,
                 attestation_anchors_check);
}

const char *const *advice_list(void *owner, const struct options *options)
{
    static const char *(*const looks[])(void *, const struct options *) = {
        accounts, open_files, low_ports, password, device_roots, attestation_roots};
    const char **list = mem_array(owner, const char *, COUNT(looks) + 1);
    size_t count = 0;
    for (size_t i = 0; i < COUNT(looks); i++) {
        const char *advice = looks[i](owner, options);
        if (advice)
            list[count++] = advice;
    }
    return list;
}
