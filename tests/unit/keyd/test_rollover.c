/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of the authority: each step, what it leaves in use, and what a crash leaves. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "keyd/rollover.h"
#include "pki/authorities.h"
#include "pki/certificate.h"
#include "pki/openssl.h"
#include "tests/unit/keyd/process.h"

#define DAY ((int64_t)86400)

/* ---- the words ---- */

static struct keyd_options options_of(const struct process *process)
{
    return (struct keyd_options){.directory = process->directory,
                                 .organization = process->organization};
}

static bool step_serve(const struct keyd_options *options, int64_t *number, struct err *err)
{
    return keyd_rollover_serve(options, clock_now(), number, err);
}

static bool step_retire_first(const struct keyd_options *options, int64_t *number, struct err *err)
{
    *number = 1;
    return keyd_rollover_retire(options, 1, clock_now(), err);
}

static bool step_retire_second(const struct keyd_options *options, int64_t *number, struct err *err)
{
    *number = 2;
    return keyd_rollover_retire(options, 2, clock_now(), err);
}

static int64_t step_between(struct process *process, process_word *run)
{
    process_stop(process);
    int64_t number = process_run(process, run, -1);
    process_resume(process);
    return number;
}

static struct authorities all_of(struct process *process)
{
    struct authorities all;
    struct err err;
    assert_works(keyd_authorities(process->keyd, process, &all, &err), err);
    return all;
}

static void are(struct process *process, const char *roles)
{
    static const char letters[] = "?ncer"; /* of enum authority_role */
    struct authorities all = all_of(process);
    char found[KEYD_AUTHORITIES_MAX + 1] = "";
    for (size_t i = 0; i < all.count; i++)
        found[i] = letters[all.list[i].role];
    assert_string_equal(found, roles);
}

/* ---- what each generation can do ---- */

static struct bytes spki_new(void *owner)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    struct bytes spki = DER_OF(owner, i2d_PUBKEY, key);
    EVP_PKEY_free(key);
    return spki;
}

static bool issue(struct process *process, int64_t authority, struct bytes *der, struct err *err)
{
    struct issue_fields fields = {.authority = authority,
                                  .purpose = PURPOSE_MDM_IDENTITY,
                                  .common_name = "phone",
                                  .spki = spki_new(process),
                                  .not_before = clock_now() - 60,
                                  .not_after = clock_now() + 30 * DAY};
    certificate_serial_make(fields.serial);
    return keyd_issue(process->keyd, process, &fields, der, err);
}

static bool list_signs(struct process *process, int64_t authority, struct err *err)
{
    const struct crl_fields fields = {.authority = authority,
                                      .number = 1,
                                      .this_update = clock_now(),
                                      .next_update = clock_now() + DAY};
    struct bytes der;
    return keyd_sign_crl(process->keyd, process, &fields, &der, err);
}

static bool profile_signs(struct process *process, int64_t authority, struct err *err)
{
    struct bytes cms;
    return keyd_sign_profile(process->keyd, process, authority, bytes_text("<plist/>"), &cms, err);
}

/* proves-partly: 4g-8 */
static void each_step_leaves_what_it_says(void **state)
{
    struct process *process = *state;
    struct bytes before, after;
    struct err err;
    are(process, "c");
    assert_works(issue(process, 1, &before, &err), err);
    assert_fails(keyd_sign_next(process->keyd, process, &after, &err), err, ERR_NOT_FOUND);
    assert_int_equal(step_between(process, process_switch), -ERR_PRECONDITION);
    assert_int_equal(step_between(process, process_prepare), 2);
    assert_int_equal(step_between(process, process_prepare), -ERR_PRECONDITION);
    are(process, "cn");
    assert_works(keyd_sign_next(process->keyd, process, &after, &err), err);
    assert_fails(issue(process, 2, &after, &err), err, ERR_CONFLICT);
    assert_fails(list_signs(process, 2, &err), err, ERR_NOT_FOUND);
    assert_fails(profile_signs(process, 2, &err), err, ERR_NOT_FOUND);

    assert_int_equal(step_between(process, process_switch), 2);
    are(process, "ec");
    assert_fails(issue(process, 1, &after, &err), err, ERR_CONFLICT);
    assert_works(issue(process, 2, &after, &err), err);
    struct authorities all = all_of(process);
    assert_int_equal(authority_of_leaf(&all, before)->number, 1);
    assert_int_equal(authority_of_leaf(&all, after)->number, 2);
    assert_int_equal(all.tls_number, 1);
    assert_works(list_signs(process, 1, &err), err);
    assert_works(list_signs(process, 2, &err), err);
    assert_works(profile_signs(process, 1, &err), err);
    assert_fails(keyd_sign_next(process->keyd, process, &after, &err), err, ERR_NOT_FOUND);
}

/* As the test before left it. */
static void one_goes_when_it_does_not_certify_the_servers_any_more(void **state)
{
    struct process *process = *state;
    static const char *const names[] = {"localhost", NULL};
    struct tls_identity first[2], second[2];
    struct err err;
    assert_works(keyd_tls_identities(process->keyd, process, names, first, &err), err);
    assert_int_equal(step_between(process, step_retire_second), -ERR_PRECONDITION);
    assert_int_equal(step_between(process, step_retire_first), -ERR_PRECONDITION);
    assert_works(keyd_tls_identities(process->keyd, process, names, second, &err), err);
    assert_true(bytes_equal(first[0].certificate_pem, second[0].certificate_pem));
    assert_int_equal(step_between(process, step_serve), 2);
    assert_works(keyd_tls_identities(process->keyd, process, names, second, &err), err);
    assert_false(bytes_equal(first[0].certificate_pem, second[0].certificate_pem));

    assert_int_equal(step_between(process, step_retire_first), 1);
    are(process, "rc");
    CLEANUP(mem_free_at) char *key = mem_format(NULL, "%s/issuing.key", process->directory);
    assert_int_not_equal(access(key, F_OK), 0);
    assert_fails(list_signs(process, 1, &err), err, ERR_NOT_FOUND);
    assert_works(profile_signs(process, 1, &err), err); /* devices have its signer for ever */
    assert_int_equal(step_between(process, step_retire_first), 1); /* finishes what broke off */
    assert_int_equal(step_between(process, process_prepare), 3);
    are(process, "rcn");
}

static void names_tell_generations_apart(void **state)
{
    struct process *process = *state;
    struct authorities all = all_of(process);
    struct certificate first, second;
    struct err err;
    assert_works(certificate_parse(process, all.list[0].issuing, &first, &err), err);
    assert_works(certificate_parse(process, all.list[1].issuing, &second, &err), err);
    assert_string_equal(first.common_name, "Example Works Devices CA");
    assert_string_equal(second.common_name, "Example Works Devices CA G2");
    assert_ptr_equal(authority_of_name(&all, second.subject_der), &all.list[1]);
    assert_null(authority_of_name(&all, first.subject_der)); /* retired */
}

/* ---- crashes ---- */

/* Killed at any moment: what was, or what was asked for; and asking again gets it. */
static void a_step_that_is_killed_is_whole_or_not_at_all(void **state)
{
    (void)state;
    struct process *process = process_start(NULL);
    void *started = process;
    process_stop(process);
    bool is_done = false;
    for (int after = 0; after < 4000 && !is_done; after += after < 40 ? 8 : 150) {
        (void)process_run(process, process_prepare, after);
        process_resume(process);
        struct authorities all = all_of(process);
        is_done = all.count == 2;
        assert_int_equal(all.list[0].role, AUTHORITY_CURRENT);
        process_stop(process);
    }
    assert_int_equal(process_run(process, process_prepare, -1), is_done ? -ERR_PRECONDITION : 2);
    for (int after = 0; after < 60; after += 12) {
        (void)process_run(process, process_switch, after);
        process_resume(process);
        struct authorities all = all_of(process);
        assert_int_equal(all.count, 2);
        assert_int_equal((int)all.list[0].role + (int)all.list[1].role,
                         all.list[0].role == AUTHORITY_CURRENT
                             ? AUTHORITY_CURRENT + AUTHORITY_NEXT
                             : AUTHORITY_EARLIER + AUTHORITY_CURRENT);
        process_stop(process);
    }
    process_resume(process);
    assert_int_equal(process_tear_down(&started), 0);
}

/* A list that is lost is not made anew beside keys of a second generation. */
static void a_lost_list_is_told(void **state)
{
    struct process *process = *state;
    const struct keyd_options options = options_of(process);
    CLEANUP(mem_free_at) char *list = mem_format(NULL, "%s/generations.slots", process->directory);
    CLEANUP(mem_free_at) char *aside = mem_format(NULL, "%s.aside", list);
    process_stop(process);
    assert_int_equal(rename(list, aside), 0);
    assert_int_equal(process_refused(&options), 1);
    assert_int_equal(rename(aside, list), 0);
    process_resume(process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_leaves_what_it_says),
        cmocka_unit_test(one_goes_when_it_does_not_certify_the_servers_any_more),
        cmocka_unit_test(names_tell_generations_apart),
        cmocka_unit_test(a_lost_list_is_told),
        cmocka_unit_test(a_step_that_is_killed_is_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
