/* SPDX-License-Identifier: Apache-2.0 */
/* What devices sign of themselves: the chain to an anchor, and everything that breaks it. */
#include "pki/signed.h"

#include <openssl/pem.h>

#include "pki/openssl.h"
#include "tests/test.h"

struct party { /* a certificate with its key */
    EVP_PKEY *key;
    X509 *certificate;
};

static struct party party_make(const struct party *issuer, const char *name, long from, long until)
{
    struct party made = {EVP_EC_gen("P-256"), X509_new()};
    X509_NAME *subject = X509_get_subject_name(made.certificate);
    const char *constraints =
        issuer && !strcmp(name, "device") ? "critical,CA:FALSE" : "critical,CA:TRUE";
    assert_true(
        X509_set_version(made.certificate, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), (long)strlen(name)) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0) ==
            1 &&
        X509_set_issuer_name(made.certificate,
                             issuer ? X509_get_subject_name(issuer->certificate) : subject) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(made.certificate), from) &&
        X509_gmtime_adj(X509_getm_notAfter(made.certificate), until) &&
        X509_set_pubkey(made.certificate, made.key) == 1);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, constraints);
    assert_true(extension && X509_add_ext(made.certificate, extension, -1) == 1 &&
                X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    return made;
}

static void party_free(struct party *party)
{
    EVP_PKEY_free(party->key);
    X509_free(party->certificate);
}

struct world {
    void *owner;
    struct party root, middle, device;
};

static int set_up(void **state)
{
    struct world *world = mem_new(NULL, struct world);
    world->owner = mem_new(world, char);
    world->root = party_make(NULL, "root", -7200, 7200);
    world->middle = party_make(&world->root, "middle", -7200, -3600); /* it ended */
    world->device = party_make(&world->middle, "device", -7200, 7200);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    party_free(&world->root);
    party_free(&world->middle);
    party_free(&world->device);
    mem_free(world);
    return 0;
}

static struct bytes bio_take(void *owner, BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return bytes_copy(owner, (struct bytes){(const uint8_t *)data, (size_t)size});
}

static struct bytes pem_of(void *owner, X509 *certificate)
{
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(out, certificate), 1);
    return bio_take(owner, out);
}

static struct bytes sign(void *owner, const struct party *signer, X509 *also, unsigned flags)
{
    CLEANUP(BIO_free_all_at) BIO *in = BIO_new_mem_buf("hello", 5);
    CLEANUP(BIO_free_all_at) BIO *out = BIO_new(BIO_s_mem());
    STACK_OF(X509) *more = sk_X509_new_null();
    if (also)
        sk_X509_push(more, also);
    CLEANUP(CMS_ContentInfo_free_at)
    CMS_ContentInfo *cms = CMS_sign(signer->certificate, signer->key, more, in, CMS_BINARY | flags);
    assert_true(cms && i2d_CMS_bio(out, cms) == 1);
    sk_X509_free(more);
    return bio_take(owner, out);
}

static void a_device_is_known_by_its_chain_even_when_its_authority_has_ended(void **state)
{
    struct world *w = *state;
    struct bytes content, body = sign(w->owner, &w->device, w->middle.certificate, 0);
    struct err err;
    assert_works(
        signed_verify(w->owner, body, pem_of(w->owner, w->root.certificate), &content, &err), err);
    assert_true(bytes_equal(content, (struct bytes){(const uint8_t *)"hello", 5}));
    struct bytes alone = sign(w->owner, &w->device, NULL, 0);
    assert_works(
        signed_verify(w->owner, alone, pem_of(w->owner, w->middle.certificate), &content, &err),
        err);
    assert_fails(
        signed_verify(w->owner, alone, pem_of(w->owner, w->root.certificate), &content, &err), err,
        ERR_FORBIDDEN);
}

static void what_others_signed_is_refused(void **state)
{
    struct world *w = *state;
    struct bytes content, anchor = pem_of(w->owner, w->root.certificate);
    struct party other = party_make(NULL, "root", -7200, 7200);
    struct party below =
        party_make(&w->device, "device", -7200, 7200); /* a device is no authority */
    struct err err;
    assert_fails(signed_verify(w->owner, sign(w->owner, &other, NULL, 0), anchor, &content, &err),
                 err, ERR_FORBIDDEN);
    assert_fails(signed_verify(w->owner, sign(w->owner, &below, w->device.certificate, 0), anchor,
                               &content, &err),
                 err, ERR_FORBIDDEN);
    party_free(&other);
    party_free(&below);
}

static void a_message_that_is_not_whole_is_refused(void **state)
{
    struct world *w = *state;
    struct bytes content, anchor = pem_of(w->owner, w->root.certificate);
    struct bytes good = sign(w->owner, &w->device, w->middle.certificate, 0);
    struct err err;
    uint8_t *changed = mem_copy(w->owner, good.data, good.size);
    uint8_t *at = memmem(changed, good.size, "hello", 5);
    assert_non_null(at);
    *at = 'j';
    assert_fails(
        signed_verify(w->owner, (struct bytes){changed, good.size}, anchor, &content, &err), err,
        ERR_FORBIDDEN);
    assert_fails(
        signed_verify(w->owner, (struct bytes){good.data, good.size - 1}, anchor, &content, &err),
        err, ERR_BAD_INPUT);
    assert_fails(signed_verify(w->owner,
                               sign(w->owner, &w->device, w->middle.certificate, CMS_DETACHED),
                               anchor, &content, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(signed_verify(w->owner,
                               sign(w->owner, &w->device, w->middle.certificate, CMS_NOCERTS),
                               anchor, &content, &err),
                 err, ERR_FORBIDDEN);
    assert_fails(signed_verify(w->owner, NO_BYTES, anchor, &content, &err), err, ERR_BAD_INPUT);
    assert_fails(signed_verify(w->owner, good, bytes_text("no PEM"), &content, &err), err,
                 ERR_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_device_is_known_by_its_chain_even_when_its_authority_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_others_signed_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_that_is_not_whole_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
