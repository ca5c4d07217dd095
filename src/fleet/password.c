/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/password.h"

#include <argon2.h>
#include <pthread.h>
#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "fleet/account.h"
#include "fleet/shared.h"

/* argon2id, OWASP's second choice: 19 MiB, 2 passes, 1 lane */
#define HASH_PASSES 2
#define HASH_KIBIBYTES 19456
#define HASH_SALT 16
#define HASH_SIZE 32
#define ONE_TIME_BITS 80

/* ---- few at once ---- */

struct hashing {
    pthread_mutex_t lock;
    pthread_cond_t one_ended;
    unsigned running, waiting;
};

static int hashing_free(struct hashing *hashing)
{
    (void)pthread_cond_destroy(&hashing->one_ended);
    return pthread_mutex_destroy(&hashing->lock);
}

struct hashing *hashing_make(void *owner)
{
    struct hashing *hashing = mem_new(owner, struct hashing);
    if (pthread_mutex_init(&hashing->lock, NULL) != 0 ||
        pthread_cond_init(&hashing->one_ended, NULL) != 0)
        bug("no mutex");
    mem_destructor(hashing, hashing_free);
    return hashing;
}

bool hashing_begin(struct hashing *hashing, struct err *err)
{
    pthread_mutex_lock(&hashing->lock);
    bool allowed = hashing->running < HASHES_AT_ONCE || hashing->waiting < HASHES_WAITING;
    if (allowed) {
        hashing->waiting++;
        while (hashing->running == HASHES_AT_ONCE)
            pthread_cond_wait(&hashing->one_ended, &hashing->lock);
        hashing->waiting--;
        hashing->running++;
    }
    pthread_mutex_unlock(&hashing->lock);
    return allowed || err_set(err, ERR_UNAVAILABLE, "too many people sign in at once");
}

void hashing_end(struct hashing *hashing)
{
    pthread_mutex_lock(&hashing->lock);
    hashing->running--;
    pthread_cond_signal(&hashing->one_ended);
    pthread_mutex_unlock(&hashing->lock);
}

/* ---- passwords ---- */

bool password_hash(struct fleet *fleet, void *owner, const char *password, char **out,
                   struct err *err)
{
    uint8_t salt[HASH_SALT];
    char encoded[160];
    if (!hashing_begin(fleet->shared->hashing, err))
        return false;
    random_bytes(salt, sizeof(salt));
    int result = argon2id_hash_encoded(HASH_PASSES, HASH_KIBIBYTES, 1, password, strlen(password),
                                       salt, sizeof(salt), HASH_SIZE, encoded, sizeof(encoded));
    hashing_end(fleet->shared->hashing);
    if (result != ARGON2_OK)
        bug("no password hash");
    *out = mem_text(owner, encoded);
    return true;
}

bool password_matches(struct fleet *fleet, const char *hash, const char *password, bool *out,
                      struct err *err)
{
    if (!hashing_begin(fleet->shared->hashing, err))
        return false;
    *out = argon2id_verify(hash, password, strlen(password)) == ARGON2_OK;
    hashing_end(fleet->shared->hashing);
    return true;
}

bool password_check(const char *password, const char *old, struct err *err)
{
    size_t length = text_length(password);
    if (length < PASSWORD_SHORTEST || length > PASSWORD_LONGEST)
        return err_at(err, ERR_BAD_INPUT, "/new_password", "a password has %d to %d characters",
                      PASSWORD_SHORTEST, PASSWORD_LONGEST);
    return strcmp(password, old) != 0 ||
           err_at(err, ERR_BAD_INPUT, "/new_password", "the new password must differ");
}

char *password_once(void *owner)
{
    return random_text(owner, ONE_TIME_BITS);
}
