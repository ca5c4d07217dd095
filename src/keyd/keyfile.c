/* SPDX-License-Identifier: Apache-2.0 */
#include "keyd/keyfile.h"

#include <openssl/pem.h>

#include "base/config.h"

#define KEY_FILE_MAX 8192 /* bytes of one key or certificate file */

bool keyfile_save_key(const char *path, const struct master *master, const char *about,
                      EVP_PKEY *key, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes plain = DER_OF(scratch, i2d_PrivateKey, key), sealed;
    bool good = seal_make(scratch, master, "key", about, plain, &sealed, err);
    secret_wipe_bytes(plain);
    return good && file_write(path, sealed, 0400, err);
}

bool keyfile_load_key(const char *path, const struct master *master, const char *about,
                      EVP_PKEY **out, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes sealed, plain;
    if (!file_read(scratch, path, KEY_FILE_MAX, &sealed, err))
        return false;
    if (!seal_open(scratch, master, "key", about, sealed, &plain, err))
        return err_context(err, "%s", path);
    const unsigned char *at = plain.data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)plain.size);
    if (!key)
        return openssl_fail(err, ERR_PRECONDITION, path);
    *out = key;
    return true;
}

bool keyfile_save_certificate(const char *path, X509 *certificate, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *memory = BIO_new(BIO_s_mem());
    const uint8_t *pem;
    if (!memory || PEM_write_bio_X509(memory, certificate) != 1)
        return openssl_fail(err, ERR_INTERNAL, path);
    size_t size = (size_t)BIO_get_mem_data(memory, &pem);
    return file_write(path, (struct bytes){pem, size}, 0444, err);
}

bool keyfile_load_certificate(const char *path, X509 **out, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct bytes pem;
    if (!file_read(scratch, path, KEY_FILE_MAX, &pem, err))
        return false;
    CLEANUP(BIO_free_all_at) BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
    if (!certificate)
        return openssl_fail(err, ERR_PRECONDITION, path);
    *out = certificate;
    return true;
}
