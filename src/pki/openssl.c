/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/openssl.h"

#include <openssl/hmac.h>

#include "base/text.h"

bool openssl_fail(struct err *err, enum err_kind kind, const char *what)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return err_set(err, kind, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

struct bytes openssl_take(void *owner, unsigned char *der, int size)
{
    if (size < 0 || !der)
        bug("an object of ours cannot be encoded");
    struct bytes copy = bytes_copy(owner, (struct bytes){der, (size_t)size});
    OPENSSL_clear_free(der, (size_t)size);
    return copy;
}

static void digest(struct bytes in, const EVP_MD *kind, uint8_t *out)
{
    if (EVP_Digest(in.data, in.size, out, NULL, kind, NULL) != 1)
        bug("a digest of the default provider failed");
}

void digest_sha256(struct bytes in, uint8_t out[32])
{
    digest(in, EVP_sha256(), out);
}

char *digest_sha256_hex(void *owner, struct bytes in)
{
    uint8_t hash[32];
    digest_sha256(in, hash);
    return text_hex(owner, BYTES_OF(hash));
}

void digest_hmac_sha1(struct bytes key, struct bytes message, uint8_t out[20])
{
    unsigned size = 20;
    if (key.size > INT32_MAX ||
        !HMAC(EVP_sha1(), key.data, (int)key.size, message.data, message.size, out, &size))
        bug("HMAC of the default provider failed");
}
