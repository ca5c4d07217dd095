/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP and CRL as a relying party sees them. */
#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/ocsp.h"
#include "pki/openssl.h"
#include "tests/unit/keyd/process.h"

#define DAY ((int64_t)86400)
#define HOUR ((int64_t)3600)

static struct bytes issue(struct process *process, void *owner)
{
    struct err err;
    struct bytes der;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct issue_fields fields = {.purpose = PURPOSE_MDM_IDENTITY,
                                  .common_name = "phone",
                                  .spki = DER_OF(owner, i2d_PUBKEY, key),
                                  .not_before = clock_now() - 600,
                                  .not_after = clock_now() + 30 * DAY};
    EVP_PKEY_free(key);
    certificate_serial_make(fields.serial);
    assert_works(keyd_issue(process->keyd, owner, &fields, &der, &err), err);
    return der;
}

/* A question about these certificates of that issuer; a nonce of the given size. */
static struct bytes question(void *owner, struct bytes issuer, const struct bytes *leaves,
                             size_t count, const EVP_MD *digest, int nonce)
{
    CLEANUP(OCSP_REQUEST_free_at) OCSP_REQUEST *request = OCSP_REQUEST_new();
    CLEANUP(X509_free_at) X509 *authority = DER_READ(d2i_X509, issuer);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(X509_free_at) X509 *leaf = DER_READ(d2i_X509, leaves[i]);
        OCSP_CERTID *id = OCSP_cert_to_id(digest, leaf, authority);
        assert_non_null(OCSP_request_add0_id(request, id));
    }
    if (nonce)
        assert_int_equal(OCSP_request_add1_nonce(request, NULL, nonce), 1);
    return DER_OF(owner, i2d_OCSP_REQUEST, request);
}

static OCSP_BASICRESP *answer(struct process *process, void *owner, struct bytes der,
                              enum ocsp_state state)
{
    struct ocsp_request request;
    struct ocsp_single singles[OCSP_QUESTIONS_MAX];
    struct bytes out;
    struct err err;
    int64_t now = clock_now();
    assert_works(ocsp_parse(owner, der, process->authority.issuing, &request, &err), err);
    for (size_t i = 0; i < request.count; i++)
        singles[i] = (struct ocsp_single){request.questions[i].cert_id,
                                          request.questions[i].is_ours ? state : OCSP_UNKNOWN,
                                          now - HOUR, 5};
    assert_works(keyd_sign_ocsp(process->keyd, owner, singles, request.count, request.nonce, now,
                                now + 4 * HOUR, &out, &err),
                 err);
    CLEANUP(OCSP_RESPONSE_free_at) OCSP_RESPONSE *response = DER_READ(d2i_OCSP_RESPONSE, out);
    assert_non_null(response);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    return OCSP_response_get1_basic(response);
}

static void check_signature(struct process *process, OCSP_BASICRESP *basic)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_free_at) X509 *root = DER_READ(d2i_X509, process->authority.root);
    CLEANUP(X509_free_at) X509 *issuing = DER_READ(d2i_X509, process->authority.issuing);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *chain = sk_X509_new_null();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_true(sk_X509_push(chain, issuing) > 0);
    assert_int_equal(OCSP_basic_verify(basic, chain, store, 0), 1);
}

static void a_certificate_is_good_or_revoked_by_either_digest(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes leaf = issue(process, owner);
    const EVP_MD *const digests[] = {EVP_sha1(), EVP_sha256()};
    for (size_t i = 0; i < 4; i++) {
        enum ocsp_state wanted = i % 2 ? OCSP_REVOKED : OCSP_GOOD;
        struct bytes der =
            question(owner, process->authority.issuing, &leaf, 1, digests[i / 2], 16);
        CLEANUP(OCSP_BASICRESP_free_at)
        OCSP_BASICRESP *basic = answer(process, owner, der, wanted);
        CLEANUP(OCSP_REQUEST_free_at) OCSP_REQUEST *request = DER_READ(d2i_OCSP_REQUEST, der);
        int reason;
        check_signature(process, basic);
        assert_int_equal(OCSP_check_nonce(request, basic), 1);
        assert_int_equal(
            OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason, NULL, NULL, NULL),
            wanted == OCSP_GOOD ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_REVOKED);
        if (wanted == OCSP_REVOKED)
            assert_int_equal(reason, 5);
    }
}

static void a_foreign_certificate_is_never_good(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes leaf = issue(process, owner);
    struct bytes der = question(owner, process->authority.root, &leaf, 1, EVP_sha1(), 0), out;
    struct ocsp_request request;
    struct err err;
    assert_works(ocsp_parse(owner, der, process->authority.issuing, &request, &err), err);
    assert_false(request.questions[0].is_ours);
    struct ocsp_single single = {request.questions[0].cert_id, OCSP_GOOD, 0, 0};
    assert_fails(keyd_sign_ocsp(process->keyd, owner, &single, 1, NO_BYTES, clock_now(),
                                clock_now() + HOUR, &out, &err),
                 err, ERR_FORBIDDEN);
    CLEANUP(OCSP_BASICRESP_free_at) OCSP_BASICRESP *basic = answer(process, owner, der, OCSP_GOOD);
    assert_int_equal(OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, NULL),
                     V_OCSP_CERTSTATUS_UNKNOWN);
}

static void limits_of_a_question_hold(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes leaf = issue(process, owner), issuing = process->authority.issuing, leaves[9];
    struct ocsp_request request;
    struct err err;
    for (size_t i = 0; i < COUNT(leaves); i++)
        leaves[i] = leaf;
    assert_works(ocsp_parse(owner, question(owner, issuing, leaves, 8, EVP_sha1(), 0), issuing,
                            &request, &err),
                 err);
    assert_int_equal(request.count, 8);
    assert_fails(ocsp_parse(owner, question(owner, issuing, leaves, 9, EVP_sha1(), 0), issuing,
                            &request, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(ocsp_parse(owner, question(owner, issuing, leaves, 0, EVP_sha1(), 0), issuing,
                            &request, &err),
                 err, ERR_BAD_INPUT);
    assert_works(ocsp_parse(owner, question(owner, issuing, leaves, 1, EVP_sha1(), 100), issuing,
                            &request, &err),
                 err);
    assert_int_equal(request.nonce.size, 0); /* too long to echo, not too long to ask */
    assert_fails(ocsp_parse(owner, question(owner, issuing, leaves, 1, EVP_sha1(), 129), issuing,
                            &request, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(ocsp_parse(owner, bytes_text("no"), issuing, &request, &err), err, ERR_BAD_INPUT);
}

static void a_question_by_get_is_the_same(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes leaf = issue(process, owner), issuing = process->authority.issuing;
    struct bytes der = question(owner, issuing, &leaf, 1, EVP_sha1(), 0);
    struct ocsp_request request;
    struct err err;
    char *text = mem_array(owner, char, der.size * 2);
    assert_true(EVP_EncodeBlock((unsigned char *)text, der.data, (int)der.size) > 0);
    assert_works(ocsp_parse_path(owner, bytes_text(text), issuing, &request, &err), err);
    assert_true(request.questions[0].is_ours);
    struct certificate parsed;
    assert_works(certificate_parse(owner, leaf, &parsed, &err), err);
    assert_string_equal(request.questions[0].serial, parsed.serial);
}

static int chain_error(struct process *process, struct bytes leaf, struct bytes list)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_free_at) X509 *root = DER_READ(d2i_X509, process->authority.root);
    CLEANUP(X509_free_at) X509 *issuing = DER_READ(d2i_X509, process->authority.issuing);
    CLEANUP(X509_free_at) X509 *x509 = DER_READ(d2i_X509, leaf);
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = DER_READ(d2i_X509_CRL, list);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *between = sk_X509_new_null();
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_non_null(crl);
    assert_true(sk_X509_push(between, issuing) > 0);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_add_crl(store, crl), 1);
    assert_int_equal(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, x509, between), 1);
    (void)X509_verify_cert(context);
    return X509_STORE_CTX_get_error(context);
}

static void the_list_revokes_what_it_names(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes revoked = issue(process, owner), good = issue(process, owner), list;
    CLEANUP(X509_free_at) X509 *x509 = DER_READ(d2i_X509, revoked);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    struct crl_entry entry = {{ASN1_STRING_get0_data(serial), 16}, clock_now() - HOUR, 1};
    int64_t now = clock_now();
    struct crl_fields fields = {
        .entries = &entry, .count = 1, .number = 7, .this_update = now, .next_update = now + DAY};
    struct err err;
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    assert_int_equal(chain_error(process, revoked, list), X509_V_ERR_CERT_REVOKED);
    assert_int_equal(chain_error(process, good, list), X509_V_OK);
    entry.reason = 8;
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
    entry.reason = 0;
    fields.next_update = now;
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
}

static bool is_critical(X509_CRL *crl, int nid)
{
    int at = X509_CRL_get_ext_by_NID(crl, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, at)) == 1;
}

static bool point_is_critical(struct bytes list)
{
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = DER_READ(d2i_X509_CRL, list);
    return is_critical(crl, NID_issuing_distribution_point);
}

static void a_list_of_some_says_whose(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    int64_t now = clock_now();
    const char *urls[KEYD_CRL_URLS_MAX + 2] = {"http://a.example/1.crl", "http://b.example/1.crl"};
    struct crl_fields fields = {
        .number = 1, .this_update = now, .next_update = now + DAY, .urls = urls};
    struct bytes list;
    struct err err;
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    assert_true(point_is_critical(list));
    for (size_t i = 0; urls[i]; i++)
        assert_non_null(memmem(list.data, list.size, urls[i], strlen(urls[i])));
    /* a certificate without a distribution point is none of those in it */
    assert_int_equal(chain_error(process, issue(process, owner), list),
                     X509_V_ERR_DIFFERENT_CRL_SCOPE);
    fields.urls = NULL;
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    assert_false(point_is_critical(list));
    fields.urls = (const char *const[]){"http://a.example/ 1.crl", NULL};
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
    for (size_t i = 0; i <= KEYD_CRL_URLS_MAX; i++)
        urls[i] = "http://a.example/1.crl";
    fields.urls = urls;
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
}

static int reason_of_first(X509_CRL *crl)
{
    X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
    ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    int reason = code ? (int)ASN1_ENUMERATED_get(code) : -1;
    ASN1_ENUMERATED_free(code);
    return reason;
}

static void a_list_of_changes_says_since_when(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    uint8_t serial[16] = {1};
    int64_t now = clock_now();
    struct crl_entry entry = {BYTES_OF(serial), now, CRL_REASON_REMOVE};
    struct crl_fields fields = {.entries = &entry,
                                .count = 1,
                                .number = 9,
                                .base = 7,
                                .this_update = now,
                                .next_update = now + DAY};
    struct bytes list;
    struct err err;
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = DER_READ(d2i_X509_CRL, list);
    assert_non_null(crl);
    assert_true(is_critical(crl, NID_delta_crl));
    ASN1_INTEGER *base = X509_CRL_get_ext_d2i(crl, NID_delta_crl, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(base), 7);
    ASN1_INTEGER_free(base);
    assert_int_equal(reason_of_first(crl), CRL_REASON_REMOVE);

    fields.fresh_urls = (const char *const[]){"http://a.example/d.crl", NULL};
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
    fields.fresh_urls = NULL;
    fields.base = 10; /* of a list that is not there yet */
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
    fields.base = -1;
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
    fields.base = 0; /* nothing is taken out of a list that is whole */
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
}

static void a_whole_list_says_where_its_changes_are(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    int64_t now = clock_now();
    const char *const fresh[] = {"http://a.example/delta.crl", NULL};
    struct crl_fields fields = {
        .number = 9, .this_update = now, .next_update = now + DAY, .fresh_urls = fresh};
    struct bytes list;
    struct err err;
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = DER_READ(d2i_X509_CRL, list);
    assert_true(X509_CRL_get_ext_by_NID(crl, NID_freshest_crl, -1) >= 0);
    assert_false(is_critical(crl, NID_freshest_crl));
    assert_non_null(memmem(list.data, list.size, fresh[0], strlen(fresh[0])));
    fields.fresh_urls = (const char *const[]){"not an address", NULL};
    assert_fails(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err, ERR_BAD_INPUT);
}

static void a_list_of_many_goes_over_in_frames(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const size_t count = 20000;
    struct crl_entry *entries = mem_array(owner, struct crl_entry, count);
    uint8_t *serials = mem_array(owner, uint8_t, count * 16);
    int64_t now = clock_now();
    struct bytes list;
    struct err err;
    for (size_t i = 0; i < count; i++) {
        certificate_serial_make(serials + i * 16);
        entries[i] = (struct crl_entry){{serials + i * 16, 16}, now, 4};
    }
    struct crl_fields fields = {.entries = entries,
                                .count = count,
                                .number = 8,
                                .this_update = now,
                                .next_update = now + DAY};
    assert_works(keyd_sign_crl(process->keyd, owner, &fields, &list, &err), err);
    CLEANUP(X509_CRL_free_at) X509_CRL *crl = DER_READ(d2i_X509_CRL, list);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), (int)count);
}

static void an_error_is_written_without_a_key(void **state)
{
    (void)state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes der = ocsp_error_render(owner, OCSP_ERROR_UNAUTHORIZED);
    CLEANUP(OCSP_RESPONSE_free_at) OCSP_RESPONSE *response = DER_READ(d2i_OCSP_RESPONSE, der);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_good_or_revoked_by_either_digest),
        cmocka_unit_test(a_foreign_certificate_is_never_good),
        cmocka_unit_test(limits_of_a_question_hold),
        cmocka_unit_test(a_question_by_get_is_the_same),
        cmocka_unit_test(the_list_revokes_what_it_names),
        cmocka_unit_test(a_list_of_some_says_whose),
        cmocka_unit_test(a_list_of_changes_says_since_when),
        cmocka_unit_test(a_whole_list_says_where_its_changes_are),
        cmocka_unit_test(a_list_of_many_goes_over_in_frames),
        cmocka_unit_test(an_error_is_written_without_a_key),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
