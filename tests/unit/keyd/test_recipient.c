/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that others encrypt to: only the key process uses them. */
#include <openssl/cms.h>

#include "pki/digest.h"
#include "pki/openssl.h"
#include "pki/recipient.h"
#include "tests/unit/keyd/process.h"

static const char secret[] = "the secret of a token";

static struct recipient make(struct process *process, void *owner)
{
    struct recipient made;
    struct err err;
    assert_works(keyd_make_recipient(process->keyd, owner, "Tokens", &made.certificate,
                                     &made.sealed_key, &err),
                 err);
    return made;
}

/* As Apple writes it: BER, in pieces. */
static struct bytes encrypt(void *owner, struct bytes certificate, const EVP_CIPHER *cipher)
{
    CLEANUP(X509_free_at) X509 *to = DER_READ(d2i_X509, certificate);
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf(secret, -1);
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    STACK_OF(X509) *recipients = sk_X509_new_null();
    assert_true(to && in && out && sk_X509_push(recipients, to) > 0);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_encrypt(recipients, in, cipher, CMS_BINARY | CMS_STREAM);
    assert_non_null(cms);
    assert_int_equal(i2d_CMS_bio_stream(out, cms, in, CMS_BINARY | CMS_STREAM), 1);
    sk_X509_free(recipients);
    char *data = NULL;
    long size = BIO_get_mem_data(out, &data);
    return bytes_copy(owner, (struct bytes){(const uint8_t *)data, (size_t)size});
}

static void what_was_encrypted_to_the_certificate_opens_also_after_a_restart(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct recipient recipient = make(process, owner);
    struct bytes cms = encrypt(owner, recipient.certificate, EVP_aes_256_cbc()), plain;
    struct err err;
    process_restart(process, true);
    assert_works(recipient_open(process->keyd, owner, &recipient, cms, &plain, &err), err);
    assert_true(bytes_equal(plain, bytes_text(secret)));
}

static void the_key_itself_is_never_given_out(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct recipient recipient = make(process, owner);
    const char *about = digest_sha256_hex(owner, recipient.certificate);
    struct bytes key;
    struct err err;
    for (int class = KEYD_CLASS_CONNECTOR; class <= KEYD_CLASS_TLS; class ++)
        assert_fails(keyd_open(process->keyd, owner, (enum keyd_class) class, about,
                               recipient.sealed_key, &key, &err),
                     err, ERR_BAD_INPUT);
}

static void what_is_for_another_key_or_was_changed_does_not_open(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct recipient one = make(process, owner), other = make(process, owner);
    struct bytes cms = encrypt(owner, one.certificate, EVP_aes_128_cbc()), plain;
    struct err err;
    assert_fails(recipient_open(process->keyd, owner, &other, cms, &plain, &err), err,
                 ERR_PRECONDITION);
    const struct recipient mixed = {one.certificate, other.sealed_key};
    assert_fails(recipient_open(process->keyd, owner, &mixed, cms, &plain, &err), err,
                 ERR_BAD_INPUT);
    struct bytes shorter = {cms.data, cms.size - 1};
    assert_fails(recipient_open(process->keyd, owner, &one, shorter, &plain, &err), err,
                 ERR_BAD_INPUT);
    struct bytes weak = encrypt(owner, one.certificate, EVP_des_ede3_cbc());
    assert_fails(recipient_open(process->keyd, owner, &one, weak, &plain, &err), err,
                 ERR_FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_encrypted_to_the_certificate_opens_also_after_a_restart),
        cmocka_unit_test(the_key_itself_is_never_given_out),
        cmocka_unit_test(what_is_for_another_key_or_was_changed_does_not_open),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
