/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/seal.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <sys/mman.h>

#include "base/config.h"
#include "base/id.h"
#include "base/text.h"
#include "pki/openssl.h"

#define MASTER_FILE_MIN 32   /* bytes; a shorter secret could be guessed */
#define MASTER_FILE_MAX 4096 /* bytes */
#define SEAL_VERSION 1
#define SEAL_NONCE 12
#define SEAL_TAG 16

static int secret_wipe(uint8_t *memory)
{
    bytes_wipe(memory, talloc_get_size(memory));
    return 0;
}

uint8_t *secret_new(void *owner, size_t size)
{
    uint8_t *memory = mem_array(owner, uint8_t, size + 1);
    mem_destructor(memory, secret_wipe);
    return memory;
}

void secret_wipe_bytes(struct bytes secret)
{
    union { /* our own memory, seen through a borrowing struct */
        const uint8_t *read_only;
        void *plain;
    } memory = {.read_only = secret.data};
    if (secret.size > 0)
        bytes_wipe(memory.plain, secret.size);
}

static int master_wipe(struct master *master)
{
    bytes_wipe(master, sizeof(*master));
    (void)munlock(master, sizeof(*master));
    return 0;
}

static void derive(struct bytes secret, const char *label, uint8_t out[32])
{
    static const char salt[] = "muster master secret 1";
    union { /* OSSL_PARAM takes pointers that it only reads */
        const void *read_only;
        void *plain;
    } key = {.read_only = secret.data}, info = {.read_only = label}, seed = {.read_only = salt};
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.plain, secret.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, seed.plain, sizeof(salt) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.plain, strlen(label)),
        OSSL_PARAM_construct_end()};
    CLEANUP(EVP_KDF_free_at) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    CLEANUP(EVP_KDF_CTX_free_at) EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    if (!context || EVP_KDF_derive(context, out, 32, parameters) != 1)
        bug("HKDF of the default provider failed");
}

void master_derive(const struct master *master, const char *label, uint8_t out[32])
{
    derive(BYTES_OF(master->key), label, out);
}

static bool master_create(void *owner, const char *path, struct bytes *out, struct err *err)
{
    uint8_t fresh[MASTER_SIZE];
    random_bytes(fresh, sizeof(fresh));
    char *hex = text_hex(owner, BYTES_OF(fresh));
    bytes_wipe(fresh, sizeof(fresh));
    *out = bytes_text(hex);
    return file_write(path, *out, 0400, err);
}

bool master_credential_read(void *owner, const char *credentials, struct bytes *out,
                            struct err *err)
{
    struct bytes none = NO_BYTES;
    if (credentials && *credentials) {
        CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/muster-master", credentials);
        if (!file_read(owner, path, MASTER_FILE_MAX, &none, err) && err->kind != ERR_NOT_FOUND)
            return err_context(err, "master secret");
    }
    *out = none;
    return true;
}

static bool master_read(void *owner, const char *directory, struct bytes credential,
                        bool may_create, struct bytes *out, struct err *err)
{
    if (credential.size > 0) {
        *out = bytes_copy(owner, credential);
        return true;
    }
    char *path = mem_format(owner, "%s/master.secret", directory);
    if (file_read(owner, path, MASTER_FILE_MAX, out, err))
        return true;
    if (err->kind != ERR_NOT_FOUND || !may_create) {
        err->remedy = "restore the master secret from its backup; nothing can be opened without it";
        return false;
    }
    return master_create(owner, path, out, err);
}

bool master_open(void *owner, const char *directory, struct bytes credential, bool may_create,
                 struct master **out, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes secret = NO_BYTES;
    if (!master_read(scratch, directory, credential, may_create, &secret, err))
        return err_context(err, "master secret");
    if (secret.size < MASTER_FILE_MIN)
        return err_set(err, ERR_PRECONDITION, "master secret is shorter than %d bytes",
                       MASTER_FILE_MIN);
    struct master *master = mem_new(owner, struct master);
    mem_destructor(master, master_wipe);
    (void)mlock(master, sizeof(*master)); /* as far as the limits allow */
    derive(secret, "master", master->key);
    secret_wipe_bytes(secret);
    *out = master;
    return true;
}

void hmac_sha256(const uint8_t key[32], struct bytes message, uint8_t out[32])
{
    static const uint8_t nothing[1];
    unsigned size = 32;
    if (!HMAC(EVP_sha256(), key, 32, message.size ? message.data : nothing, message.size, out,
              &size))
        bug("HMAC of the default provider failed");
}

/* ---- AES-256-GCM ---- */

static EVP_CIPHER_CTX *cipher_new(const struct master *master, const char *label, const char *about,
                                  const uint8_t nonce[SEAL_NONCE], int encrypt)
{
    uint8_t key[32];
    int size;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    master_derive(master, label, key);
    if (!context || EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) != 1 ||
        EVP_CipherUpdate(context, NULL, &size, (const uint8_t *)about, (int)strlen(about)) != 1)
        bug("AES-GCM of the default provider failed");
    bytes_wipe(key, sizeof(key));
    return context;
}

bool seal_make(void *owner, const struct master *master, const char *label, const char *about,
               struct bytes plain, struct bytes *out, struct err *err)
{
    if (plain.size > SEAL_PLAIN_MAX)
        return err_set(err, ERR_TOO_LARGE, "a secret exceeds %zu bytes", SEAL_PLAIN_MAX);
    size_t size = 1 + SEAL_NONCE + plain.size + SEAL_TAG;
    uint8_t *sealed = mem_array(owner, uint8_t, size);
    uint8_t *text = sealed + 1 + SEAL_NONCE;
    int done = 0, rest = 0;
    sealed[0] = SEAL_VERSION;
    random_bytes(sealed + 1, SEAL_NONCE);
    CLEANUP(EVP_CIPHER_CTX_free_at)
    EVP_CIPHER_CTX *context = cipher_new(master, label, about, sealed + 1, 1);
    if ((plain.size && EVP_CipherUpdate(context, text, &done, plain.data, (int)plain.size) != 1) ||
        EVP_CipherFinal_ex(context, text + done, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, text + plain.size) != 1)
        return openssl_fail(err, ERR_INTERNAL, "sealing failed");
    *out = (struct bytes){sealed, size};
    return true;
}

bool seal_open(void *owner, const struct master *master, const char *label, const char *about,
               struct bytes sealed, struct bytes *out, struct err *err)
{
    struct reader in = reader_of(sealed);
    uint8_t version = reader_u8(&in);
    struct bytes nonce = reader_take(&in, SEAL_NONCE);
    size_t left = reader_left(&in);
    struct bytes text = reader_take(&in, left < SEAL_TAG ? left : left - SEAL_TAG);
    struct bytes tag = reader_take(&in, SEAL_TAG);
    if (!reader_done(&in) || version != SEAL_VERSION || text.size > SEAL_PLAIN_MAX)
        return err_set(err, ERR_BAD_INPUT, "not something that was sealed here");
    uint8_t expected[SEAL_TAG];
    memcpy(expected, tag.data, SEAL_TAG);
    CLEANUP(mem_free_at) uint8_t *plain = secret_new(NULL, text.size);
    int done = 0, rest = 0;
    CLEANUP(EVP_CIPHER_CTX_free_at)
    EVP_CIPHER_CTX *context = cipher_new(master, label, about, nonce.data, 0);
    if ((text.size && EVP_CipherUpdate(context, plain, &done, text.data, (int)text.size) != 1) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, expected) != 1 ||
        EVP_CipherFinal_ex(context, plain + done, &rest) != 1)
        return openssl_fail(err, ERR_BAD_INPUT,
                            "sealed under another master secret or for something else, or changed");
    size_t size = text.size;
    *out = (struct bytes){mem_give(owner, &plain), size};
    return true;
}
