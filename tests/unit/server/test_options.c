/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <unistd.h>

#include "server/options.h"

#define LOAD(owner, options, err, ...)                                                             \
    options_load(owner, (int)COUNT(((const char *[]){__VA_ARGS__})),                               \
                 (char *const *)(uintptr_t)((const char *[]){__VA_ARGS__}), options, err)

static void defaults_follow_from_each_other(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct options options;
    struct err err;
    (void)state;
    assert_works(LOAD(owner, &options, &err, "--set", "server.data_dir=/srv/m", "--set",
                      "server.names=mdm.example.org, 192.0.2.1", "--set", "front.port=443"),
                 err);
    assert_string_equal(options.database, "sqlite:/srv/m/db/muster.db");
    assert_string_equal(options.name_list[0], "mdm.example.org");
    assert_string_equal(options.name_list[1], "192.0.2.1");
    assert_null(options.name_list[2]);
    assert_string_equal(options.front_url, "https://mdm.example.org:443");
    assert_string_equal(options.plain_url, "http://mdm.example.org:8080");
    assert_int_equal(options.argument_count, 6);
    mem_free(owner);
}

static void a_name_that_is_an_address_stands_in_brackets(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    struct options options;
    struct err err;
    (void)state;
    assert_works(LOAD(owner, &options, &err, "--set", "server.names=2001:db8::1"), err);
    assert_string_equal(options.device_url, "https://[2001:db8::1]:8444");
    mem_free(owner);
}

static void the_command_line_wins_over_the_file(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    char path[] = "/tmp/muster-options-XXXXXX";
    struct options options;
    struct err err;
    (void)state;
    (void)close(mkstemp(path));
    assert_works(
        file_write(path, bytes_text("[front]\nport = 1\n[device]\nport = 2\n"), 0600, &err), err);
    assert_works(LOAD(owner, &options, &err, "--set", "front.port=3", "--config", path), err);
    assert_int_equal(options.front_port, 3);
    assert_int_equal(options.device_port, 2);
    (void)unlink(path);
    mem_free(owner);
}

static void what_cannot_work_is_refused(void **state)
{
    static const char *const assignments[] = {
        "server.names=,",
        "server.names=bad/name",
        "server.organization=",
        "server.organization=Sixty-five characters are one more than a certificate can hold....",
        "server.organization=two\nlines",
        "server.organization=no \xC3 UTF-8",
        "front.address=",
        "front.address=:: localhost",
        "front.certificate=/etc/muster/a.pem", /* without its key */
        "device.key_2=/etc/muster/a.key",
        "server.data_dir=here",
        "server.database=sqlite:relative.db",
        "server.database=sqlite:/var/lib/muster/muster.db", /* beside the keys */
        "server.database=sqlite:/var/lib/muster.db",
        "server.database=sqlite:/var/lib/muster/keys/x/muster.db",
        "server.database=sqlite:/srv/../var/lib/muster/muster.db",
        "server.run_dir=/a/../b",
        "front.port=8444",
        "device.address=localhost",
        "edge.mode=both",
        "server.workers=0",
        "server.queue=100001",
        "users.user=no-such-user",
        "front",
        "front.port",
        ("server.run_dir=/0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890")};
    (void)state;
    for (size_t i = 0; i < COUNT(assignments); i++) {
        void *owner = mem_pool(NULL, 1024);
        struct options options;
        struct err err;
        if (LOAD(owner, &options, &err, "--set", assignments[i]))
            fail_msg("%s was accepted", assignments[i]);
        mem_free(owner);
    }
}

static void help_shows_every_default(void **state)
{
    void *owner = mem_pool(NULL, 1024);
    const char *text = options_help(owner);
    (void)state;
    assert_non_null(strstr(text, "[front]\n  address = 0.0.0.0\n"));
    assert_non_null(strstr(text, "  port = 8443\n"));
    assert_non_null(strstr(text, "  mode = embedded\n"));
    mem_free(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_follow_from_each_other),
        cmocka_unit_test(a_name_that_is_an_address_stands_in_brackets),
        cmocka_unit_test(the_command_line_wins_over_the_file),
        cmocka_unit_test(what_cannot_work_is_refused),
        cmocka_unit_test(help_shows_every_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
