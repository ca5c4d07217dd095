/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/mem.h"
#include "channel/apple/apple.h"
#include "channel/channel.h"

static enum http_urgency weighed(const char *path, const char *body)
{
    const struct routes *routes = channel_apple.routes;
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(routes->list[i].path, path) == 0) {
            http_weigh *weigh = routes->list[i].weigh;
            const struct request request = {.body = bytes_text(body)};
            return weigh ? weigh(&request) : HTTP_ORDINARY;
        }
    fail_msg("there is no such route");
    return HTTP_ORDINARY;
}

#define TYPE(name) "<plist><dict><key>MessageType</key><string>" name "</string></dict></plist>"

static void who_enrols_is_refused_last(void **state)
{
    static const char *const urgent[] = {TYPE("Authenticate"), TYPE("TokenUpdate"),
                                         TYPE("CheckOut"),     TYPE("SetBootstrapToken"),
                                         TYPE("What is this"), ""};
    (void)state;
    for (size_t i = 0; i < COUNT(urgent); i++)
        assert_int_equal(weighed("/apple/checkin", urgent[i]), HTTP_URGENT);
    assert_int_equal(weighed("/enrol", ""), HTTP_ORDINARY);
}

static void what_comes_again_by_itself_is_refused_first(void **state)
{
    (void)state;
    assert_int_equal(weighed("/apple/checkin", TYPE("DeclarativeManagement")), HTTP_PATIENT);
    assert_int_equal(weighed("/apple/checkin", "bplist00 DeclarativeManagement"), HTTP_PATIENT);
    assert_int_equal(weighed("/apple/connect", TYPE("Authenticate")), HTTP_PATIENT);
    assert_int_equal(weighed("/apple/profile/{item}/{hash}", ""), HTTP_PATIENT);
}

/* All of a large body costs too much at this place. */
static void only_both_ends_are_looked_at(void **state)
{
    char *last = mem_format(*state, "%10000s%s", "", TYPE("DeclarativeManagement"));
    char *inside = mem_format(*state, "%10000s%s%10000s", "", "DeclarativeManagement", "");
    assert_int_equal(weighed("/apple/checkin", last), HTTP_PATIENT);
    assert_int_equal(weighed("/apple/checkin", inside), HTTP_URGENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_enrols_is_refused_last),
        cmocka_unit_test(what_comes_again_by_itself_is_refused_first),
        cmocka_unit_test(only_both_ends_are_looked_at),
    };
    return cmocka_run_group_tests(tests, owner_set_up, owner_tear_down);
}
