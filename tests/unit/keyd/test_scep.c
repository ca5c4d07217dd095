/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "base/clock.h"
#include "pki/scep.h"
#include "tests/unit/keyd/scep_client.h"

#define DAY ((int64_t)86400)

struct scene { /* one test: a key process that all share, memory of its own */
    struct process *process;
    void *owner;
    struct client *client;
};

static struct scene scene_of(void **state)
{
    struct process *process = *state;
    void *owner = mem_text(process, "");
    return (struct scene){process, owner, client_new(owner, 2048)};
}

static bool parse(struct scene *scene, struct bytes body, struct scep_message *out, struct err *err)
{
    const struct authorities all = {&scene->process->authority, 1, 1};
    return scep_parse(scene->owner, body, scene->process->keyd, &all, false, out, err);
}

static struct bytes message(struct scene *scene, const struct csr_wish *csr,
                            const struct message_wish *wish)
{
    struct bytes request = client_csr(scene->owner, scene->client, csr);
    return client_message(scene->owner, scene->client, &scene->process->authority, request, wish);
}

/* The message is answered with this failure, signed by the registration authority. */
static void answered(struct scene *scene, struct bytes body, enum scep_failure failure)
{
    struct scep_message parsed;
    struct client_reply reply;
    struct bytes out;
    struct err err;
    assert_works(parse(scene, body, &parsed, &err), err);
    if (parsed.failure != failure)
        fail_msg("failure %d (%s), expected %d", (int)parsed.failure, parsed.why, (int)failure);
    assert_non_null(parsed.why);
    assert_works(scep_render_failure(scene->owner, scene->process->keyd, &scene->process->authority,
                                     &parsed, parsed.failure, &out, &err),
                 err);
    client_read(scene->owner, scene->client, &scene->process->authority, out, &reply);
    assert_int_equal(reply.status, '2');
    assert_int_equal(reply.failure, '0' + (int)failure);
}

static void unusable(struct scene *scene, struct bytes body)
{
    struct scep_message parsed;
    struct err err;
    if (parse(scene, body, &parsed, &err))
        fail_msg("parsed, should not have been");
    assert_true(err.kind == ERR_BAD_INPUT || err.kind == ERR_TOO_LARGE);
}

static X509 *enrol(struct scene *scene, struct bytes body)
{
    struct scep_message parsed;
    struct client_reply reply;
    struct bytes certificate, out;
    struct err err;
    assert_works(parse(scene, body, &parsed, &err), err);
    if (parsed.failure != SCEP_NO_FAILURE)
        fail_msg("refused: %s", parsed.why);
    struct issue_fields fields = {.purpose = PURPOSE_MDM_IDENTITY,
                                  .common_name = "phone 1",
                                  .spki = parsed.request.spki,
                                  .not_before = clock_now() - 600,
                                  .not_after = clock_now() + 365 * DAY};
    certificate_serial_make(fields.serial);
    assert_works(keyd_issue(scene->process->keyd, scene->owner, &fields, &certificate, &err), err);
    assert_works(scep_render_success(scene->owner, scene->process->keyd, &scene->process->authority,
                                     &parsed, certificate, scene->process->authority.issuing, &out,
                                     &err),
                 err);
    client_read(scene->owner, scene->client, &scene->process->authority, out, &reply);
    assert_int_equal(reply.status, '0');
    assert_string_equal(reply.transaction, "a+b/c= 1");
    assert_true(bytes_equal(reply.recipient_nonce, parsed.sender_nonce));
    assert_int_equal(reply.sender_nonce.size, parsed.sender_nonce.size < 16 ? 8 : 16);
    assert_false(bytes_equal(reply.sender_nonce, parsed.sender_nonce));
    assert_non_null(reply.leaf);
    struct bytes first = DER_OF(scene->owner, i2d_X509, reply.leaf);
    assert_true(bytes_equal(first, certificate));
    return reply.leaf;
}

static void a_request_becomes_a_certificate(void **state)
{
    struct scene scene = scene_of(state);
    struct csr_wish csr = {.challenge = "SECRET", .ask_usage = true};
    struct scep_message parsed;
    struct err err;
    struct bytes body = message(&scene, &csr, &(struct message_wish){0});
    assert_works(parse(&scene, body, &parsed, &err), err);
    assert_int_equal(parsed.type, SCEP_REQUEST);
    assert_false(parsed.signer_is_ours);
    assert_string_equal(parsed.request.challenge, "SECRET");
    assert_string_equal(name_value(&parsed.request.subject, "CN"), "phone 1");
    assert_int_equal(parsed.request.alternatives.count, 2);
    assert_int_equal(parsed.request.key_usage, 0xa0);
    assert_string_equal(parsed.request.purposes[0], "1.3.6.1.5.5.7.3.2");
    X509_free(enrol(&scene, body));
    mem_free(scene.owner);
}

static void every_accepted_algorithm_is_answered_in_kind(void **state)
{
    struct scene scene = scene_of(state);
    const struct message_wish wishes[] = {
        {.digest = EVP_sha384(), .cipher = EVP_aes_192_cbc()},
        {.digest = EVP_sha512(), .cipher = EVP_aes_256_cbc(), .nonce_size = 8},
        {.ber = true},
    };
    for (size_t i = 0; i < COUNT(wishes); i++)
        X509_free(enrol(&scene, message(&scene, &(struct csr_wish){0}, &wishes[i])));
    mem_free(scene.owner);
}

static void a_challenge_is_read_whatever_text_type_it_has(void **state)
{
    struct scene scene = scene_of(state);
    const int types[] = {V_ASN1_UTF8STRING, V_ASN1_IA5STRING, V_ASN1_T61STRING};
    for (size_t i = 0; i < COUNT(types); i++) {
        struct csr_wish csr = {.challenge = "SECRET", .challenge_type = types[i]};
        struct scep_message parsed;
        struct err err;
        assert_works(parse(&scene, message(&scene, &csr, &(struct message_wish){0}), &parsed, &err),
                     err);
        assert_int_equal(parsed.failure, SCEP_NO_FAILURE);
        assert_string_equal(parsed.request.challenge, "SECRET");
    }
    mem_free(scene.owner);
}

static void a_certificate_of_ours_as_signer_means_renewal(void **state)
{
    struct scene scene = scene_of(state);
    struct scep_message parsed;
    struct err err;
    struct message_wish renewal = {.type = SCEP_RENEWAL};
    X509 *issued = enrol(&scene, message(&scene, &(struct csr_wish){0}, &(struct message_wish){0}));
    struct client *fresh = client_new(scene.owner, 2048);
    struct bytes request = client_csr(scene.owner, fresh, &(struct csr_wish){0});
    X509 *own = scene.client->certificate;
    scene.client->certificate = issued;
    struct bytes body =
        client_message(scene.owner, scene.client, &scene.process->authority, request, &renewal);
    assert_works(parse(&scene, body, &parsed, &err), err);
    assert_int_equal(parsed.failure, SCEP_NO_FAILURE);
    assert_true(parsed.signer_is_ours);
    struct bytes der = DER_OF(scene.owner, i2d_X509, issued);
    assert_true(bytes_equal(parsed.signer.der, der));
    scene.client->certificate = own;
    /* another's request, signed by a self-signed certificate: not the same key */
    body = client_message(scene.owner, scene.client, &scene.process->authority, request, &renewal);
    answered(&scene, body, SCEP_BAD_CHECK);
    X509_free(issued);
    mem_free(scene.owner);
}

static void types_that_nobody_serves_are_refused_before_the_request(void **state)
{
    struct scene scene = scene_of(state);
    const int types[] = {18, 3, 99, 1};
    for (size_t i = 0; i < COUNT(types); i++) {
        struct message_wish wish = {.type = types[i]};
        answered(&scene, message(&scene, &(struct csr_wish){.challenge = "x"}, &wish),
                 SCEP_BAD_REQUEST);
    }
    mem_free(scene.owner);
}

static void requests_that_ask_in_a_wrong_way_are_refused(void **state)
{
    struct scene scene = scene_of(state);
    const struct csr_wish wishes[] = {
        {.challenge = "x", .two_challenges = true},
        {.challenge = "x", .challenge_type = V_ASN1_OCTET_STRING},
        {.is_authority = true},
        {.sha1 = true},
    };
    for (size_t i = 0; i < COUNT(wishes); i++)
        answered(&scene, message(&scene, &wishes[i], &(struct message_wish){0}), SCEP_BAD_REQUEST);
    answered(&scene, message(&scene, &(struct csr_wish){.broken = true}, &(struct message_wish){0}),
             SCEP_BAD_CHECK);
    mem_free(scene.owner);
}

static void weak_algorithms_are_named(void **state)
{
    struct scene scene = scene_of(state);
    const struct message_wish wishes[] = {{.digest = EVP_sha1()},
                                          {.digest = EVP_md5()},
                                          {.cipher = EVP_des_ede3_cbc()},
                                          {.cipher = EVP_aes_128_gcm()}};
    for (size_t i = 0; i < COUNT(wishes); i++)
        answered(&scene, message(&scene, &(struct csr_wish){0}, &wishes[i]), SCEP_BAD_ALGORITHM);
    mem_free(scene.owner);
}

static void recipients_that_no_rsa_key_finds_are_a_bad_algorithm(void **state)
{
    struct scene scene = scene_of(state);
    static const enum recipient_kind kinds[] = {BY_PASSWORD, BY_AGREEMENT, BY_KEK, BY_OAEP};
    for (size_t i = 0; i < COUNT(kinds); i++)
        answered(
            &scene,
            message(&scene, &(struct csr_wish){0}, &(struct message_wish){.recipients = kinds[i]}),
            SCEP_BAD_ALGORITHM);
    mem_free(scene.owner);
}

static void a_strange_certificate_around_the_key_is_nobodys_concern(void **state)
{
    struct scene scene = scene_of(state);
    scene.client = client_odd(scene.owner, EVP_RSA_gen(2048));
    X509_free(enrol(&scene, message(&scene, &(struct csr_wish){0}, &(struct message_wish){0})));
    mem_free(scene.owner);
}

static void what_does_not_open_is_one_failure(void **state)
{
    struct scene scene = scene_of(state);
    struct bytes csr = client_csr(scene.owner, scene.client, &(struct csr_wish){0});
    const struct authority *authority = &scene.process->authority;
    /* to somebody else, by name or by key; garbage; nothing; a request with something behind it */
    struct message_wish elsewhere = {.recipient = authority->profile}, plain = {0},
                        pretended = {.recipients = BY_FOREIGN_KEY},
                        raw = {.raw_content = bytes_text("no envelope")};
    answered(&scene, client_message(scene.owner, scene.client, authority, csr, &pretended),
             SCEP_BAD_CHECK);
    answered(&scene, client_message(scene.owner, scene.client, authority, csr, &elsewhere),
             SCEP_BAD_CHECK);
    answered(&scene, client_message(scene.owner, scene.client, authority, csr, &raw),
             SCEP_BAD_CHECK);
    answered(&scene,
             client_message(scene.owner, scene.client, authority, bytes_text("garbage"), &plain),
             SCEP_BAD_CHECK);
    uint8_t *longer = mem_array(scene.owner, uint8_t, csr.size + 1);
    memcpy(longer, csr.data, csr.size);
    struct bytes trailing = {longer, csr.size + 1};
    answered(&scene, client_message(scene.owner, scene.client, authority, trailing, &plain),
             SCEP_BAD_CHECK);
    mem_free(scene.owner);
}

/* The carrying certificate's dates and the like are nobody's concern; what is asked for is. */
static void a_flipped_bit_anywhere_never_changes_what_is_asked(void **state)
{
    struct scene scene = scene_of(state);
    struct bytes csr = client_csr(scene.owner, scene.client, &(struct csr_wish){0});
    struct bytes good = client_message(scene.owner, scene.client, &scene.process->authority, csr,
                                       &(struct message_wish){0});
    const struct authorities all = {&scene.process->authority, 1, 1};
    for (size_t at = 0; at < good.size; at += 41) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct scep_message parsed;
        struct err err;
        uint8_t *changed = mem_copy(owner, good.data, good.size);
        changed[at] ^= 0x10;
        if (scep_parse(owner, (struct bytes){changed, good.size}, scene.process->keyd, &all, false,
                       &parsed, &err))
            if (parsed.failure == SCEP_NO_FAILURE &&
                (parsed.type != SCEP_REQUEST || !bytes_equal(parsed.request.der, csr) ||
                 strcmp(parsed.transaction, "a+b/c= 1") != 0))
                fail_msg("byte %zu", at);
    }
    mem_free(scene.owner);
}

static void messages_without_a_possible_answer_are_unusable(void **state)
{
    struct scene scene = scene_of(state);
    const struct message_wish wishes[] = {{.no_transaction = true},
                                          {.two_transactions = true},
                                          {.transaction_type = V_ASN1_UTF8STRING},
                                          {.no_type = true},
                                          {.no_nonce = true},
                                          {.nonce_size = 7},
                                          {.nonce_size = 2048},
                                          {.no_attributes = true},
                                          {.two_signers = true},
                                          {.no_certificate = true}};
    for (size_t i = 0; i < COUNT(wishes); i++)
        unusable(&scene, message(&scene, &(struct csr_wish){0}, &wishes[i]));
    answered(&scene,
             message(&scene, &(struct csr_wish){0}, &(struct message_wish){.no_content = 1}),
             SCEP_BAD_CHECK);
    answered(&scene,
             message(&scene, &(struct csr_wish){0}, &(struct message_wish){.empty_content = 1}),
             SCEP_BAD_REQUEST);
    struct bytes good = message(&scene, &(struct csr_wish){0}, &(struct message_wish){0});
    for (size_t size = 0; size < good.size; size += 97)
        unusable(&scene, (struct bytes){good.data, size});
    uint8_t *longer = mem_array(scene.owner, uint8_t, good.size + 1);
    memcpy(longer, good.data, good.size);
    unusable(&scene, (struct bytes){longer, good.size + 1});
    unusable(&scene, (struct bytes){mem_array(scene.owner, uint8_t, 70000), 70000});
    mem_free(scene.owner);
}

static void signers_that_no_reply_can_be_encrypted_to_are_unusable(void **state)
{
    struct scene scene = scene_of(state);
    EVP_PKEY *const keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-256")};
    struct bytes csr = client_csr(scene.owner, scene.client, &(struct csr_wish){0});
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct client *weak = client_from(scene.owner, keys[i]);
        unusable(&scene, client_message(scene.owner, weak, &scene.process->authority, csr,
                                        &(struct message_wish){0}));
    }
    mem_free(scene.owner);
}

static struct bytes issuer_and(void *owner, struct bytes certificate, bool by_serial)
{
    CLEANUP(X509_free_at) X509 *x509 = DER_READ(d2i_X509, certificate);
    struct bytes issuer = DER_OF(owner, i2d_X509_NAME, X509_get_issuer_name(x509));
    struct bytes second = by_serial ? DER_OF(owner, i2d_ASN1_INTEGER, X509_get0_serialNumber(x509))
                                    : DER_OF(owner, i2d_X509_NAME, X509_get_subject_name(x509));
    return DER_MAKE(owner, DER_SEQUENCE, issuer, second);
}

static void questions_are_read_and_answered(void **state)
{
    struct scene scene = scene_of(state);
    const struct authority *authority = &scene.process->authority;
    struct keyd *keyd = scene.process->keyd;
    struct bytes body, out, crl;
    struct scep_message parsed;
    struct client_reply reply;
    struct err err;
    struct message_wish poll = {.type = SCEP_POLL}, ask = {.type = SCEP_GET_CRL};
    body = client_message(scene.owner, scene.client, authority,
                          issuer_and(scene.owner, authority->registration, false), &poll);
    assert_works(parse(&scene, body, &parsed, &err), err);
    assert_int_equal(parsed.failure, SCEP_NO_FAILURE);
    assert_non_null(name_value(&parsed.subject, "CN"));
    assert_works(scep_render_pending(scene.owner, keyd, authority, &parsed, &out, &err), err);
    client_read(scene.owner, scene.client, authority, out, &reply);
    assert_int_equal(reply.status, '3');

    body = client_message(scene.owner, scene.client, authority,
                          issuer_and(scene.owner, authority->registration, true), &ask);
    assert_works(parse(&scene, body, &parsed, &err), err);
    assert_int_equal(parsed.failure, SCEP_NO_FAILURE);
    assert_int_equal(strlen(parsed.serial), 32);
    struct crl_fields fields = {
        .number = 1, .this_update = clock_now(), .next_update = clock_now() + DAY};
    assert_works(keyd_sign_crl(keyd, scene.owner, &fields, &crl, &err), err);
    assert_works(scep_render_crl(scene.owner, keyd, authority, &parsed, crl, &out, &err), err);
    client_read(scene.owner, scene.client, authority, out, &reply);
    assert_non_null(reply.crl);
    X509_CRL_free(reply.crl);
    answered(&scene,
             client_message(scene.owner, scene.client, authority, bytes_text("no question"), &poll),
             SCEP_BAD_CHECK);
    mem_free(scene.owner);
}

static void the_authority_is_handed_out_in_order(void **state)
{
    struct scene scene = scene_of(state);
    const struct authority *authority = &scene.process->authority;
    struct bytes der = scep_authority_render(scene.owner, authority, true);
    CLEANUP(PKCS7_free_at) PKCS7 *p7 = DER_READ(d2i_PKCS7, der);
    assert_non_null(p7);
    const struct bytes expected[] = {authority->registration, authority->issuing, authority->root};
    assert_int_equal(sk_X509_num(p7->d.sign->cert), 3);
    for (int i = 0; i < 3; i++) {
        X509 *certificate = sk_X509_value(p7->d.sign->cert, i);
        struct bytes found = DER_OF(scene.owner, i2d_X509, certificate);
        assert_true(bytes_equal(found, expected[i]));
    }
    mem_free(scene.owner);
}

static void a_dead_key_process_is_no_failure_of_the_client(void **state)
{
    struct scene scene = scene_of(state);
    struct scep_message parsed;
    struct err err;
    struct bytes body = message(&scene, &(struct csr_wish){0}, &(struct message_wish){0});
    assert_int_equal(kill(scene.process->pid, SIGKILL), 0);
    assert_fails(parse(&scene, body, &parsed, &err), err, ERR_UNAVAILABLE);
    process_restart(scene.process, true);
    assert_works(parse(&scene, body, &parsed, &err), err);
    assert_int_equal(parsed.failure, SCEP_NO_FAILURE);
    mem_free(scene.owner);
}

/* keyd was not started for old clients: whatever the server asks. */
static void a_reply_over_a_weak_digest_is_not_signed(void **state)
{
    struct scene scene = scene_of(state);
    struct scep_message parsed;
    struct bytes out;
    struct err err;
    struct bytes body = message(&scene, &(struct csr_wish){0}, &(struct message_wish){0});
    assert_works(parse(&scene, body, &parsed, &err), err);
    parsed.digest = KEYD_SHA1;
    assert_fails(scep_render_failure(scene.owner, scene.process->keyd, &scene.process->authority,
                                     &parsed, SCEP_BAD_REQUEST, &out, &err),
                 err, ERR_FORBIDDEN);
    mem_free(scene.owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_a_certificate),
        cmocka_unit_test(every_accepted_algorithm_is_answered_in_kind),
        cmocka_unit_test(a_challenge_is_read_whatever_text_type_it_has),
        cmocka_unit_test(a_certificate_of_ours_as_signer_means_renewal),
        cmocka_unit_test(types_that_nobody_serves_are_refused_before_the_request),
        cmocka_unit_test(requests_that_ask_in_a_wrong_way_are_refused),
        cmocka_unit_test(weak_algorithms_are_named),
        cmocka_unit_test(recipients_that_no_rsa_key_finds_are_a_bad_algorithm),
        cmocka_unit_test(a_reply_over_a_weak_digest_is_not_signed),
        cmocka_unit_test(a_strange_certificate_around_the_key_is_nobodys_concern),
        cmocka_unit_test(what_does_not_open_is_one_failure),
        cmocka_unit_test(a_flipped_bit_anywhere_never_changes_what_is_asked),
        cmocka_unit_test(messages_without_a_possible_answer_are_unusable),
        cmocka_unit_test(signers_that_no_reply_can_be_encrypted_to_are_unusable),
        cmocka_unit_test(questions_are_read_and_answered),
        cmocka_unit_test(the_authority_is_handed_out_in_order),
        cmocka_unit_test(a_dead_key_process_is_no_failure_of_the_client),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
