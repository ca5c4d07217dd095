/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/password.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/test.h"

#define ASKERS (HASHES_WAITING + 6)
#define PATIENCE_MS 20000

struct crowd {
    struct hashing *hashing;
    atomic_uint running, most, served, refused;
};

static void *ask(void *context)
{
    struct crowd *crowd = context;
    struct err err;
    if (!hashing_begin(crowd->hashing, &err)) {
        crowd->refused += err.kind == ERR_UNAVAILABLE;
        return NULL;
    }
    unsigned running = ++crowd->running;
    if (running > crowd->most)
        crowd->most = running;
    (void)usleep(2000);
    crowd->running--;
    crowd->served++;
    hashing_end(crowd->hashing);
    return NULL;
}

/* Both places are taken: some wait for one, the others hear no at once, nobody is lost. */
static void few_hash_at_once_few_wait_and_the_others_are_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_new(NULL, char);
    struct crowd crowd = {.hashing = hashing_make(owner)};
    pthread_t threads[ASKERS];
    struct err err;
    (void)state;
    for (int i = 0; i < HASHES_AT_ONCE; i++)
        assert_works(hashing_begin(crowd.hashing, &err), err);
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &crowd), 0);
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (crowd.refused < ASKERS - HASHES_WAITING && clock_monotonic_ms() < until)
        (void)usleep(1000);
    assert_int_equal(crowd.refused, ASKERS - HASHES_WAITING);
    assert_int_equal(crowd.served, 0);
    for (int i = 0; i < HASHES_AT_ONCE; i++)
        hashing_end(crowd.hashing);
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crowd.served, HASHES_WAITING);
    assert_int_equal(crowd.refused, ASKERS - HASHES_WAITING);
    assert_true(crowd.most <= HASHES_AT_ONCE);
}

static void a_password_has_so_many_characters_not_bytes(void **state)
{
    struct err err;
    (void)state;
    assert_works(password_check("äöüäöüäöüäöü", "", &err), err);
    assert_fails(password_check("äöüäöüäöüäö", "", &err), err, ERR_BAD_INPUT);
    assert_string_equal(err.text, "a password has 12 to 256 characters");
    assert_fails(password_check("twelve bytes", "twelve bytes", &err), err, ERR_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_hash_at_once_few_wait_and_the_others_are_refused),
        cmocka_unit_test(a_password_has_so_many_characters_not_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
