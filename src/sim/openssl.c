/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/config.h"
#include "base/text.h"

#define PEM_FILE_MAX (1024 * 1024) /* bytes */

struct certificates {
    STACK_OF(X509) * stack;
};

bool openssl_failed(struct err *err, enum err_kind kind, const char *what)
{
    char reason[160] = "no reason given";
    unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof(reason));
    ERR_clear_error();
    return err_set(err, kind, "%s: %s", what, reason);
}

static int certificates_free(struct certificates *list)
{
    sk_X509_pop_free(list->stack, X509_free);
    return 0;
}

struct certificates *certificates_new(void *owner)
{
    struct certificates *list = mem_new(owner, struct certificates);
    list->stack = mem_must(sk_X509_new_null());
    mem_destructor(list, certificates_free);
    return list;
}

void certificates_add(struct certificates *list, X509 *certificate)
{
    if (!X509_add_cert(list->stack, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP))
        bug("out of memory in a certificate list");
}

void certificates_add_all(struct certificates *list, const struct certificates *more)
{
    for (size_t i = 0; i < certificates_count(more); i++)
        certificates_add(list, certificates_get(more, i));
}

STACK_OF(X509) * certificates_stack(const struct certificates *list)
{
    return list ? list->stack : NULL;
}

size_t certificates_count(const struct certificates *list)
{
    return list ? (size_t)sk_X509_num(list->stack) : 0;
}

X509 *certificates_get(const struct certificates *list, size_t index)
{
    return sk_X509_value(list->stack, (int)index);
}

bool certificates_parse(void *owner, struct bytes pem, struct certificates **out, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *in = mem_must(BIO_new_mem_buf(pem.data, (int)pem.size));
    CLEANUP(mem_free_at) struct certificates *list = certificates_new(NULL);
    for (;;) {
        CLEANUP(X509_free_at) X509 *one = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!one)
            break;
        certificates_add(list, one);
    }
    ERR_clear_error();
    if (certificates_count(list) == 0)
        return err_set(err, ERR_BAD_INPUT, "there is no PEM certificate in this text");
    *out = mem_give(owner, &list);
    return true;
}

bool certificates_load(void *owner, const char *path, struct certificates **out, struct err *err)
{
    void *scratch = mem_new(NULL, char);
    struct bytes pem;
    bool done = file_read(scratch, path, PEM_FILE_MAX, &pem, err) &&
                (certificates_parse(owner, pem, out, err) || err_context(err, "%s", path));
    mem_free(scratch);
    return done;
}

struct bytes bio_bytes(void *owner, BIO *memory)
{
    char *data = NULL;
    long size = BIO_get_mem_data(memory, &data);
    return bytes_copy(owner, (struct bytes){(const uint8_t *)data, size > 0 ? (size_t)size : 0});
}

struct bytes certificates_render(void *owner, const struct certificates *list)
{
    CLEANUP(BIO_free_all_at) BIO *out = mem_must(BIO_new(BIO_s_mem()));
    for (size_t i = 0; i < certificates_count(list); i++)
        if (!PEM_write_bio_X509(out, certificates_get(list, i)))
            bug("a certificate cannot be written to memory");
    return bio_bytes(owner, out);
}

bool certificate_parse_der(struct bytes der, X509 **out, struct err *err)
{
    const uint8_t *at = der.data;
    CLEANUP(X509_free_at) X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
    if (!certificate)
        return openssl_failed(err, ERR_BAD_INPUT, "reading a certificate");
    if (at != der.data + der.size)
        return err_set(err, ERR_BAD_INPUT, "bytes follow the certificate");
    *out = certificate;
    certificate = NULL;
    return true;
}

struct bytes certificate_der(void *owner, const X509 *certificate)
{
    uint8_t *der = NULL;
    int size = i2d_X509(certificate, &der);
    if (size < 0)
        bug("a certificate cannot be encoded");
    struct bytes copy = bytes_copy(owner, (struct bytes){der, (size_t)size});
    OPENSSL_free(der);
    return copy;
}

char *certificate_sha256(void *owner, const X509 *certificate)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!X509_digest(certificate, EVP_sha256(), digest, &size))
        bug("a certificate cannot be digested");
    return text_hex(owner, (struct bytes){digest, size});
}

char *certificate_subject(void *owner, const X509 *certificate)
{
    CLEANUP(BIO_free_all_at) BIO *out = mem_must(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char *text = NULL;
    long size = BIO_get_mem_data(out, &text);
    return mem_text_part(owner, size > 0 ? text : "", size > 0 ? (size_t)size : 0);
}

bool certificate_chain_check(X509 *certificate, const struct certificates *others,
                             const struct certificates *roots, struct err *err)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = mem_must(X509_STORE_new());
    for (size_t i = 0; i < certificates_count(roots); i++)
        X509_STORE_add_cert(store, certificates_get(roots, i));
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *context = mem_must(X509_STORE_CTX_new());
    if (!X509_STORE_CTX_init(context, store, certificate, certificates_stack(others)))
        return openssl_failed(err, ERR_INTERNAL, "starting a chain check");
    if (X509_verify_cert(context) == 1)
        return true;
    int why = X509_STORE_CTX_get_error(context);
    ERR_clear_error();
    CLEANUP(mem_free_at) char *subject = certificate_subject(NULL, certificate);
    return err_set(err, ERR_FORBIDDEN, "certificate '%s' is not trusted: %s", subject,
                   X509_verify_cert_error_string(why));
}

bool key_load(const char *path, EVP_PKEY **out, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_file(path, "r");
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (!key)
        return openssl_failed(err, in ? ERR_BAD_INPUT : ERR_NOT_FOUND, path);
    *out = key;
    return true;
}

bool key_save(const char *path, EVP_PKEY *key, struct err *err)
{
    CLEANUP(BIO_free_all_at) BIO *out = mem_must(BIO_new(BIO_s_mem()));
    if (!PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL))
        return openssl_failed(err, ERR_INTERNAL, "writing a key");
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct bytes pem = bio_bytes(scratch, out);
    bool done = file_write(path, pem, 0600, err);
    bytes_wipe((void *)(uintptr_t)pem.data, pem.size);
    return done;
}

bool key_make_rsa(unsigned bits, EVP_PKEY **out, struct err *err)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    if (!key)
        return openssl_failed(err, ERR_INTERNAL, "making an RSA key");
    *out = key;
    return true;
}
