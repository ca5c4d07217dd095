/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "sim/bplist.h"
#include "sim/model.h"
#include "sim/options.h"

static void a_phone_out_of_its_box_is_like_no_other(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct model a, b;
    (void)state;
    model_init(owner, &a);
    model_init(owner, &b);
    assert_string_not_equal(a.udid, b.udid);
    assert_string_not_equal(a.serial, b.serial);
    assert_int_equal(strlen(a.udid), 25);
    assert_int_equal(model_os_major(&a), 17);
}

static void what_the_user_sets_survives_being_saved(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct model before, after = {0};
    struct err err = {0};
    (void)state;
    model_init(owner, &before);
    assert_works(model_set(owner, &before, "passcode.length=9", &err), err);
    assert_works(model_set(owner, &before, "locked=true", &err), err);
    assert_works(model_set(owner, &before, "os.version=16.7.2", &err), err);
    CLEANUP(json_decref_at) json_t *saved = model_to_json(&before);
    assert_works(model_from_json(owner, saved, &after, &err), err);
    assert_int_equal(after.passcode.length, 9);
    assert_true(after.locked);
    assert_int_equal(model_os_major(&after), 16);
}

static void a_key_that_the_model_lacks_is_refused(void **state)
{
    static const char *const wrong[] = {"passcode.colour=red", "colour=red", "passcode.length=x",
                                        "security.encryption=4", "passcode.length"};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
        struct model model;
        struct err err = {0};
        model_init(owner, &model);
        assert_fails(model_set(owner, &model, wrong[i], &err), err, ERR_BAD_INPUT);
    }
}

static void a_binary_property_list_reads_back(void **state)
{
    static const struct plist_limits limits = {.size = 4096, .depth = 4, .nodes = 16};
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct plist *dict = plist_new_dict(owner), *back = NULL;
    struct bytes bytes;
    struct err err = {0};
    (void)state;
    plist_set_text(dict, "UDID", "00008120-0000000000000001");
    plist_set_text(dict, "Status", "Idle");
    assert_works(bplist_render(owner, dict, &bytes, &err), err);
    assert_works(plist_parse(owner, bytes, &limits, &back, &err), err);
    assert_string_equal(plist_text(back, "UDID"), "00008120-0000000000000001");
    assert_string_equal(plist_text(back, "Status"), "Idle");
}

static bool parse(void *owner, char *const *words, const char *takes, struct err *err)
{
    struct options options = {0};
    return options_parse(owner, words, takes, &options, err);
}

static void options_are_those_of_the_subcommand_and_once(void **state)
{
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    char *good[] = {(char[]){"--state"}, (char[]){"d"}, (char[]){"--fresh-tls"}, NULL};
    char *twice[] = {(char[]){"--state"}, (char[]){"d"}, (char[]){"--state"}, (char[]){"e"}, NULL};
    char *bare[] = {(char[]){"--state"}, NULL};
    char *more[] = {(char[]){"word"}, NULL};
    struct err err = {0};
    (void)state;
    assert_works(parse(owner, good, "state! fresh-tls", &err), err);
    assert_fails(parse(owner, good, "state!", &err), err, ERR_BAD_INPUT);
    assert_fails(parse(owner, good, "state! fresh-tls link!", &err), err, ERR_BAD_INPUT);
    assert_fails(parse(owner, twice, "state!", &err), err, ERR_BAD_INPUT);
    assert_fails(parse(owner, bare, "state!", &err), err, ERR_BAD_INPUT);
    assert_fails(parse(owner, more, "state", &err), err, ERR_BAD_INPUT);
    assert_works(parse(owner, more, "state ...", &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_out_of_its_box_is_like_no_other),
        cmocka_unit_test(what_the_user_sets_survives_being_saved),
        cmocka_unit_test(a_key_that_the_model_lacks_is_refused),
        cmocka_unit_test(a_binary_property_list_reads_back),
        cmocka_unit_test(options_are_those_of_the_subcommand_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
