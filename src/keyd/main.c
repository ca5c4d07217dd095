/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "keyd/answer.h"
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

/* False when the connection is over. A refusal is an answer; garbage is answered and forgotten. */
static bool serve_one(int fd, struct vault *vault, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct buffer payload, out;
    struct wire_head head, reply;
    struct bytes answer;
    buffer_init(&payload, scratch, WIRE_MESSAGE_MAX);
    buffer_init(&out, scratch, WIRE_MESSAGE_MAX);
    if (wire_receive(fd, -1, &head, &payload, err)) {
        int64_t now = clock_now();
        struct err renewing;
        if (!vault_refresh(vault, now, &renewing))
            log_err("keyd.renewing", &renewing, NULL);
        keyd_answer(vault, now, &head, (struct bytes){payload.data, payload.size}, &reply, &out);
    } else {
        if (err->kind == ERR_UNAVAILABLE)
            return false;
        reply = head;
        reply.status = (uint8_t)err->kind;
        buffer_text(&out, err->text);
    }
    bool sent = buffer_done(&out, &answer, err) && wire_send(fd, &reply, answer, err);
    bytes_wipe(payload.data, payload.size);
    bytes_wipe(out.data, out.size);
    return sent;
}

static void protect_keys(void)
{
    (void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_SMALLEST); /* as far as limits allow */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

static bool start(const struct keyd_options *options, void *owner, struct vault **vault,
                  struct err *err)
{
    struct keyd_options own = *options;
    protect_keys();
    if (!master_credential_read(owner, options->credentials_directory, &own.credential, err))
        return false; /* systemd gives it to the one that it starts: before we become another */
    bool fine = user_become(options, err) && sandbox_prepare(err) &&
                vault_open(owner, &own, clock_now(), vault, err) && sandbox_close(err);
    secret_wipe_bytes(own.credential);
    return fine;
}

int keyd_main(int fd, const struct keyd_options *options)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const struct timeval patience = {.tv_sec = WIRE_TIMEOUT_MS / 1000};
    struct vault *vault;
    struct err err;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!start(options, owner, &vault, &err)) {
        log_err("keyd.start", &err, NULL);
        return 1;
    }
    log_event(LOG_INFO, "keyd.ready", NULL);
    while (serve_one(fd, vault, &err))
        continue;
    return 0;
}
