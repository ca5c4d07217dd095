/* SPDX-License-Identifier: Apache-2.0 */
/* What keyd renews by itself: the responder every 15 days, the registration authority and the
 * signer of profiles 60 days before their end. */
#include <sys/mman.h>

#include "base/clock.h"
#include "pki/scep.h"
#include "tests/unit/keyd/scep_client.h"

#define MINUTE ((int64_t)60)
#define DAY ((int64_t)86400)

/* ---- the clock: this program is linked with --wrap=clock_now ---- */

int64_t __real_clock_now(void);
int64_t __wrap_clock_now(void);

static int64_t *ahead; /* seconds; shared with the key process, which is a fork */

int64_t __wrap_clock_now(void)
{
    return __real_clock_now() + (ahead ? *ahead : 0);
}

static int set_up(void **state)
{
    void *page =
        mmap(NULL, sizeof(*ahead), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -1;
    ahead = page;
    return process_set_up(state);
}

static struct authority authority_now(struct process *process, void *owner)
{
    struct authority authority;
    struct err err;
    assert_works(keyd_authority(process->keyd, owner, &authority, &err), err);
    return authority;
}

static bool keys_equal(struct bytes a, struct bytes b)
{
    CLEANUP(X509_free_at) X509 *first = DER_READ(d2i_X509, a);
    CLEANUP(X509_free_at) X509 *second = DER_READ(d2i_X509, b);
    return EVP_PKEY_eq(X509_get0_pubkey(first), X509_get0_pubkey(second)) == 1;
}

static X509_STORE *trust_at(const struct authority *authority, int64_t now)
{
    X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_free_at) X509 *root = DER_READ(d2i_X509, authority->root);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)now);
    return store;
}

/* ---- the responder ---- */

static struct bytes status_answer(struct process *process, void *owner)
{
    CLEANUP(X509_free_at) X509 *issuing = DER_READ(d2i_X509, process->authority.issuing);
    CLEANUP(X509_free_at) X509 *leaf = DER_READ(d2i_X509, process->authority.registration);
    CLEANUP(OCSP_CERTID_free_at) OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), leaf, issuing);
    struct ocsp_single single = {.cert_id = DER_OF(owner, i2d_OCSP_CERTID, id)};
    struct bytes der;
    struct err err;
    assert_works(keyd_sign_ocsp(process->keyd, owner, &single, 1, NO_BYTES, clock_now(),
                                clock_now() + DAY, &der, &err),
                 err);
    return der;
}

static bool is_believed(const struct authority *authority, struct bytes der, int64_t now)
{
    CLEANUP(OCSP_RESPONSE_free_at) OCSP_RESPONSE *response = DER_READ(d2i_OCSP_RESPONSE, der);
    CLEANUP(OCSP_BASICRESP_free_at) OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    CLEANUP(X509_STORE_free_at) X509_STORE *store = trust_at(authority, now);
    CLEANUP(X509_free_at) X509 *issuing = DER_READ(d2i_X509, authority->issuing);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *chain = sk_X509_new_null();
    assert_true(sk_X509_push(chain, issuing) > 0);
    bool is_good = OCSP_basic_verify(basic, chain, store, 0) == 1;
    ERR_clear_error();
    return is_good;
}

static void the_responder_is_another_one_after_fifteen_days(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    int64_t start = clock_now();
    struct authority first = authority_now(process, owner);
    *ahead += 15 * DAY - 5 * MINUTE;
    struct authority same = authority_now(process, owner);
    assert_true(bytes_equal(same.ocsp, first.ocsp));
    struct bytes last = status_answer(process, owner);
    *ahead += 10 * MINUTE;
    struct authority second = authority_now(process, owner);
    assert_false(bytes_equal(second.ocsp, first.ocsp));
    assert_false(keys_equal(second.ocsp, first.ocsp));
    assert_true(bytes_equal(second.registration, first.registration));
    struct bytes fresh = status_answer(process, owner);
    assert_true(is_believed(&first, fresh, clock_now()));
    assert_true(is_believed(&first, last, clock_now())); /* who keeps an answer may */
    assert_false(is_believed(&first, fresh, start));     /* the time counts in this test */
    *ahead += 40 * DAY;                                  /* nobody asked for longer than it lives */
    assert_true(is_believed(&first, status_answer(process, owner), clock_now()));
    assert_false(is_believed(&first, fresh, clock_now()));
}

/* ---- the registration authority ---- */

static enum scep_failure answer_to(struct process *process, void *owner, struct bytes message)
{
    struct authority authority = authority_now(process, owner);
    struct scep_message parsed;
    struct err err;
    const struct authorities all = {&authority, 1, 1};
    assert_works(scep_parse(owner, message, process->keyd, &all, false, &parsed, &err), err);
    return parsed.failure;
}

static void is_certified_at(const struct authority *authority, struct bytes der, int64_t now)
{
    CLEANUP(X509_STORE_free_at) X509_STORE *store = trust_at(authority, now);
    CLEANUP(X509_STORE_CTX_free_at) X509_STORE_CTX *context = X509_STORE_CTX_new();
    CLEANUP(X509_free_at) X509 *issuing = DER_READ(d2i_X509, authority->issuing);
    CLEANUP(X509_free_at) X509 *certificate = DER_READ(d2i_X509, der);
    CLEANUP(x509_stack_free_at) STACK_OF(X509) *chain = sk_X509_new_null();
    assert_true(sk_X509_push(chain, issuing) > 0);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, chain), 1);
    assert_int_equal(X509_verify_cert(context), 1);
}

static void its_helpers_are_renewed_before_they_end(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct client *client = client_new(owner, 2048);
    struct bytes request = client_csr(owner, client, &(struct csr_wish){0});
    struct message_wish wish = {0};
    struct authority first = authority_now(process, owner);
    struct bytes before = client_message(owner, client, &first, request, &wish);
    *ahead = 670 * DAY - 5 * MINUTE;
    struct authority same = authority_now(process, owner);
    assert_true(bytes_equal(same.registration, first.registration));
    assert_true(bytes_equal(same.profile, first.profile));
    assert_int_equal(answer_to(process, owner, before), SCEP_NO_FAILURE);
    *ahead += 10 * MINUTE;
    struct authority second = authority_now(process, owner);
    const struct bytes pairs[][2] = {{first.registration, second.registration},
                                     {first.profile, second.profile}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_false(bytes_equal(pairs[i][0], pairs[i][1]));
        assert_true(keys_equal(pairs[i][0], pairs[i][1]));
        is_certified_at(&first, pairs[i][1], clock_now() + 729 * DAY);
    }
    assert_true(bytes_equal(first.issuing, second.issuing));
    assert_int_equal(
        answer_to(process, owner, client_message(owner, client, &second, request, &wish)),
        SCEP_NO_FAILURE);
}

/* A process that runs opens no file: the next one writes what it renews, and from then on it is
 * the same at each start. */
static void what_is_renewed_is_written_by_the_next_start(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    *ahead = 671 * DAY;
    struct authority in_memory = authority_now(process, owner);
    process_restart(process, true);
    struct authority written = authority_now(process, owner);
    assert_false(bytes_equal(written.registration, in_memory.registration));
    assert_true(keys_equal(written.registration, in_memory.registration));
    is_certified_at(&written, written.registration, clock_now() + 729 * DAY);
    for (int i = 0; i < 2; i++) {
        *ahead += 300 * DAY;
        process_restart(process, true);
        struct authority again = authority_now(process, owner);
        assert_true(bytes_equal(again.registration, written.registration));
        assert_true(bytes_equal(again.profile, written.profile));
    }
}

/* A clock that was wrong for an hour or a day makes nothing anew that holds. */
static void a_clock_that_jumps_renews_nothing_before_its_time(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    *ahead = 1280 * DAY;
    process_restart(process, true);
    struct authority before = authority_now(process, owner);
    static const int64_t jumps[] = {-3600, DAY, -DAY};
    for (size_t i = 0; i < COUNT(jumps); i++) {
        *ahead += jumps[i];
        struct authority after = authority_now(process, owner);
        assert_true(bytes_equal(after.ocsp, before.ocsp));
        assert_true(bytes_equal(after.registration, before.registration));
        (void)status_answer(process, owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_responder_is_another_one_after_fifteen_days),
        cmocka_unit_test(its_helpers_are_renewed_before_they_end),
        cmocka_unit_test(what_is_renewed_is_written_by_the_next_start),
        cmocka_unit_test(a_clock_that_jumps_renews_nothing_before_its_time),
    };
    return cmocka_run_group_tests(tests, set_up, process_tear_down);
}
