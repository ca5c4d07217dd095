/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "fake_ca.h"

#define CHALLENGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

struct setting {
    struct fake_ca ca;
    struct certificates *authority;
    EVP_PKEY *key;
    X509_NAME *subject;
};

static int setting_open(void **state)
{
    struct setting *setting = mem_new(NULL, struct setting);
    fake_ca_make(&setting->ca);
    setting->ca.challenge = CHALLENGE;
    setting->authority = certificates_new(setting);
    certificates_add(setting->authority, setting->ca.certificate);
    setting->key = EVP_RSA_gen(2048);
    setting->subject = X509_NAME_new();
    X509_NAME_add_entry_by_txt(setting->subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)"a phone", -1, -1, 0);
    *state = setting;
    return 0;
}

static int setting_close(void **state)
{
    struct setting *setting = *state;
    EVP_PKEY_free(setting->ca.key);
    X509_free(setting->ca.certificate);
    EVP_PKEY_free(setting->key);
    X509_NAME_free(setting->subject);
    mem_free(setting);
    return 0;
}

static bool exchange(struct setting *setting, enum scep_misbehaviour misbehaviour,
                     struct scep_answer **out, struct err *err)
{
    struct scep_wish wish = {.challenge = CHALLENGE,
                             .subject = setting->subject,
                             .key_usage = 5,
                             .misbehaviour = misbehaviour};
    struct scep_transaction *transaction = NULL;
    struct bytes request, message;
    assert_works(scep_begin(setting, setting->key, setting->subject, &transaction, err), *err);
    assert_works(scep_request_make(setting, transaction, &wish, &request, err), *err);
    assert_works(scep_seal(setting, transaction, SCEP_PKCS_REQ, request, setting->ca.certificate,
                           &message, err),
                 *err);
    struct bytes reply = fake_ca_answer(setting, &setting->ca, message);
    assert_true(reply.size > 0);
    return scep_open(setting, transaction, setting->authority, reply, out, err);
}

static void the_right_challenge_brings_a_certificate_for_our_key(void **state)
{
    struct setting *setting = *state;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    setting->ca.wrong_nonce = setting->ca.wrong_transaction = false;
    setting->ca.stranger_signs = setting->ca.pending = false;
    assert_works(exchange(setting, SCEP_BEHAVE, &answer, &err), err);
    assert_int_equal(answer->status, SCEP_SUCCESS);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(answer->certificate), setting->key), 1);
    assert_works(certificate_chain_check(answer->certificate, NULL, setting->authority, &err), err);
}

static void a_wrong_challenge_and_two_challenges_are_told_as_failures(void **state)
{
    struct setting *setting = *state;
    const enum scep_misbehaviour kinds[] = {SCEP_WRONG_CHALLENGE, SCEP_TWO_CHALLENGES};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct scep_answer *answer = NULL;
        struct err err = {0};
        assert_works(exchange(setting, kinds[i], &answer, &err), err);
        assert_int_equal(answer->status, SCEP_FAILURE);
        assert_int_equal(answer->fail_info, 2);
        assert_null(answer->certificate);
    }
}

static void an_answer_that_returns_another_nonce_is_refused(void **state)
{
    struct setting *setting = *state;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    setting->ca.wrong_nonce = true;
    assert_fails(exchange(setting, SCEP_BEHAVE, &answer, &err), err, ERR_BAD_INPUT);
    setting->ca.wrong_nonce = false;
}

static void an_answer_for_another_transaction_is_refused(void **state)
{
    struct setting *setting = *state;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    setting->ca.wrong_transaction = true;
    assert_fails(exchange(setting, SCEP_BEHAVE, &answer, &err), err, ERR_BAD_INPUT);
    setting->ca.wrong_transaction = false;
}

static void an_answer_that_a_stranger_signed_is_refused(void **state)
{
    struct setting *setting = *state;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    setting->ca.stranger_signs = true;
    assert_fails(exchange(setting, SCEP_BEHAVE, &answer, &err), err, ERR_FORBIDDEN);
    setting->ca.stranger_signs = false;
}

static void a_pending_answer_has_no_certificate(void **state)
{
    struct setting *setting = *state;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    setting->ca.pending = true;
    assert_works(exchange(setting, SCEP_BEHAVE, &answer, &err), err);
    assert_int_equal(answer->status, SCEP_PENDING);
    assert_null(answer->certificate);
    setting->ca.pending = false;
}

static void bytes_behind_an_answer_are_refused(void **state)
{
    struct setting *setting = *state;
    struct scep_transaction *transaction = NULL;
    struct scep_answer *answer = NULL;
    struct err err = {0};
    assert_works(scep_begin(setting, setting->key, setting->subject, &transaction, &err), err);
    assert_fails(
        scep_open(setting, transaction, setting->authority, bytes_text("no DER"), &answer, &err),
        err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_challenge_brings_a_certificate_for_our_key),
        cmocka_unit_test(a_wrong_challenge_and_two_challenges_are_told_as_failures),
        cmocka_unit_test(an_answer_that_returns_another_nonce_is_refused),
        cmocka_unit_test(an_answer_for_another_transaction_is_refused),
        cmocka_unit_test(an_answer_that_a_stranger_signed_is_refused),
        cmocka_unit_test(a_pending_answer_has_no_certificate),
        cmocka_unit_test(bytes_behind_an_answer_are_refused),
    };
    return cmocka_run_group_tests(tests, setting_open, setting_close);
}
