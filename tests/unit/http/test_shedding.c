/* SPDX-License-Identifier: Apache-2.0 */
/* Who is refused when more comes than the workers can do. They are held: nothing depends on time,
 * but for a deadline of the tests. */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/http/listener_house.h"

#define QUEUE 8
#define WORKERS 2 /* of the house */
#define MANY 12
#define DEADLINE_MS 20000

#define PATIENT "PUT /weighed HTTP/1.1\r\n" CLOSE "Content-Length: 7\r\n\r\npatient"
#define URGENT "PUT /weighed HTTP/1.1\r\n" CLOSE "Content-Length: 6\r\n\r\nurgent"
#define ORDINARY "GET /slow HTTP/1.1\r\n" CLOSE "\r\n"

struct crowd { /* requests of one kind, each on a connection of its own */
    int fds[MANY];
    size_t count;
};

static size_t answered(const struct crowd *crowd)
{
    size_t count = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        struct pollfd poller = {.fd = crowd->fds[i], .events = POLLIN};
        count += poll(&poller, 1, 0) == 1;
    }
    return count;
}

/* Until that many have their answer; the others wait. */
static void come(struct house *house, const char *request, size_t count, size_t refused,
                 struct crowd *out)
{
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        out->fds[i] = connect_to(house, SOCKET_EDGE);
        say(out->fds[i], request);
    }
    while (answered(out) < refused && clock_monotonic_ms() < deadline)
        (void)usleep(2000);
    assert_int_equal(answered(out), refused);
}

static size_t served(const struct crowd *crowd)
{
    size_t count = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        const char *heard = hear(crowd->fds[i], NULL);
        bool is_refused = strstr(heard, "HTTP/1.1 503 ") != NULL;
        assert_true(is_refused || strstr(heard, "HTTP/1.1 200 "));
        assert_true(!is_refused || strstr(heard, "Retry-After: "));
        count += !is_refused;
        (void)close(crowd->fds[i]);
    }
    return count;
}

static int crowded_set_up(void **state)
{
    struct house *house = house_make();
    struct err err;
    house->queue = QUEUE;
    assert_works(house_open(house, &err), err);
    *state = house;
    return 0;
}

static void workers_hold(struct house *house, struct crowd *out)
{
    come(house, ORDINARY, WORKERS, 0, out);
    for (size_t i = 0; i < WORKERS; i++)
        (void)sem_wait(&house->entered);
}

static void all_release(struct house *house)
{
    for (size_t i = 0; i < WORKERS + QUEUE; i++)
        (void)sem_post(&house->gate);
}

static void assert_refused(struct house *house, enum http_urgency urgency, int count)
{
    assert_int_equal(atomic_load(&house->refused[urgency]), count);
}

static void the_patient_are_refused_first_and_the_urgent_last(void **state)
{
    struct house *house = *state;
    struct crowd held, patient, ordinary, urgent, late;
    workers_hold(house, &held);
    come(house, PATIENT, MANY, MANY - QUEUE / 2, &patient);
    assert_refused(house, HTTP_PATIENT, MANY - QUEUE / 2);
    come(house, ORDINARY, MANY, MANY - QUEUE / 4, &ordinary);
    assert_refused(house, HTTP_ORDINARY, MANY - QUEUE / 4);
    come(house, PATIENT, 1, 1, &late);
    come(house, URGENT, MANY, MANY - QUEUE / 4, &urgent);
    assert_refused(house, HTTP_URGENT, MANY - QUEUE / 4);
    assert_refused(house, HTTP_PATIENT, MANY - QUEUE / 2 + 1);
    all_release(house);
    assert_int_equal(served(&held), WORKERS);
    assert_int_equal(served(&patient), QUEUE / 2);
    assert_int_equal(served(&ordinary), QUEUE / 4);
    assert_int_equal(served(&urgent), QUEUE / 4);
    assert_int_equal(served(&late), 0);
}

static void the_urgent_may_take_every_place(void **state)
{
    struct house *house = *state;
    struct crowd held, urgent;
    workers_hold(house, &held);
    come(house, URGENT, MANY, MANY - QUEUE, &urgent);
    all_release(house);
    assert_int_equal(served(&held), WORKERS);
    assert_int_equal(served(&urgent), QUEUE);
    assert_refused(house, HTTP_URGENT, MANY - QUEUE);
}

static void who_was_refused_is_served_when_there_is_room(void **state)
{
    struct house *house = *state;
    struct crowd held, patient, again;
    workers_hold(house, &held);
    come(house, PATIENT, MANY, MANY - QUEUE / 2, &patient);
    all_release(house);
    assert_int_equal(served(&held) + served(&patient), WORKERS + QUEUE / 2);
    come(house, PATIENT, QUEUE / 2, QUEUE / 2, &again);
    assert_int_equal(served(&again), QUEUE / 2);
    assert_refused(house, HTTP_ORDINARY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_patient_are_refused_first_and_the_urgent_last,
                                        crowded_set_up, house_tear_down),
        cmocka_unit_test_setup_teardown(the_urgent_may_take_every_place, crowded_set_up,
                                        house_tear_down),
        cmocka_unit_test_setup_teardown(who_was_refused_is_served_when_there_is_room,
                                        crowded_set_up, house_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
