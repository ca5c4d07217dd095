/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/enter.h"

#include <errno.h>
#include <grp.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <unistd.h>

#include "keyd/sandbox.h"

#define SECURE_HEAP ((size_t)256 << 10) /* bytes, locked and not dumped: private keys */
#define SECURE_SMALLEST 64

/* Started as root with a user of its own, whose directory is there already. */
static bool user_become(const struct keyd_options *options, struct err *err)
{
    if (!options->key_user || !*options->key_user || geteuid() != 0)
        return true;
    const struct passwd *user = getpwnam(options->key_user);
    if (!user)
        return err_set(err, ERR_PRECONDITION, "no such user: %s", options->key_user);
    if (initgroups(options->key_user, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        return err_set(err, ERR_PRECONDITION, "becoming %s: %s", options->key_user,
                       strerror(errno));
    return true;
}

static void protect_keys(void)
{
    (void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_SMALLEST); /* as far as limits allow */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

bool keyd_enter(const struct keyd_options *options, void *owner, int64_t now, struct vault **out,
                struct err *err)
{
    struct keyd_options own = *options;
    protect_keys();
    if (!master_credential_read(owner, options->credentials_directory, &own.credential, err))
        return false; /* systemd gives it to the one that it starts: before we become another */
    bool fine =
        user_become(options, err) && sandbox_prepare(err) && vault_open(owner, &own, now, out, err);
    secret_wipe_bytes(own.credential);
    if (fine)
        (*out)->allows_legacy = options->allows_legacy;
    return fine;
}
