/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/context.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "tests/test.h"

static struct context context_of(void *owner, const char *server)
{
    return (struct context){.server = mem_text(owner, server),
                            .token = mem_text(owner, "muster_SECRET"),
                            .account = mem_text(owner, "admin"),
                            .expires_at = 1800000000};
}

/* A path below a new directory; both go with the process's temporary files. */
static char *place_make(void *owner)
{
    char *folder = mem_text(owner, "/tmp/muster-cli-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return mem_format(owner, "%s/a/b/contexts.json", folder);
}

static void place_remove(const char *path)
{
    CLEANUP(mem_free_at) char *at = mem_text(NULL, path);
    assert_int_equal(unlink(at), 0);
    for (size_t i = 0; i < 3; i++) {
        *strrchr(at, '/') = '\0';
        assert_int_equal(rmdir(at), 0);
    }
}

static void what_is_kept_comes_back(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    struct contexts contexts = {0}, back;
    struct stat status;
    struct err err = {0};
    char *path = place_make(owner);
    (void)state;
    const struct context first = context_of(owner, "https://a:1");
    const struct context second = context_of(owner, "https://b");
    assert_works(contexts_load(owner, path, &contexts, &err), err);
    assert_int_equal(contexts.count, 0);
    contexts_put(owner, &contexts, &first);
    contexts_put(owner, &contexts, &second);
    contexts_put(owner, &contexts, &first);
    assert_works(contexts_save(path, &contexts, &err), err);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_works(contexts_load(owner, path, &back, &err), err);
    assert_int_equal(back.count, 2);
    assert_string_equal(contexts_find(&back, NULL)->server, "https://a:1");
    assert_string_equal(contexts_find(&back, "https://b")->token, "muster_SECRET");
    assert_int_equal(contexts_find(&back, "https://b")->expires_at, 1800000000);
    assert_null(contexts_find(&back, "https://c"));
    contexts_remove(&back, "https://a:1");
    assert_null(contexts_find(&back, NULL)); /* no other server by itself */
    assert_false(contexts_use(&back, "https://a:1"));
    assert_true(contexts_use(&back, "https://b"));
    assert_string_equal(contexts_find(&back, NULL)->server, "https://b");
    place_remove(path);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    struct contexts contexts = {0};
    struct err err = {0};
    char *path = place_make(owner);
    (void)state;
    assert_works(contexts_save(path, &contexts, &err), err);
    assert_int_equal(chmod(path, 0640), 0);
    assert_fails(contexts_load(owner, path, &contexts, &err), err, ERR_FORBIDDEN);
    assert_non_null(err.remedy);
    place_remove(path);
}

static void a_damaged_file_is_told(void **state)
{
    static const char *const contents[] = {
        "",
        "{",
        "[]",
        "{\"contexts\": {}}",
        "{\"contexts\": [{\"server\": \"https://a\"}]}",
        "{\"contexts\": [{\"server\": 1, \"token\": \"t\"}]}",
        "{\"contexts\": [{\"server\": \"https://a\", \"token\": \"t\", \"more\": 1}]}",
    };
    CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 16384);
    struct contexts contexts = {0};
    struct err err = {0};
    char *path = place_make(owner);
    (void)state;
    assert_works(contexts_save(path, &contexts, &err), err);
    for (size_t i = 0; i < COUNT(contents); i++) {
        assert_works(file_write(path, bytes_text(contents[i]), 0600, &err), err);
        assert_fails(contexts_load(owner, path, &contexts, &err), err, ERR_BAD_INPUT);
        assert_non_null(strstr(err.text, path));
    }
    place_remove(path);
}

static void addresses_of_servers_are_made_equal_or_refused(void **state)
{
    static const char *const cases[][2] = {
        {"mdm.example.org", "https://mdm.example.org"},
        {"mdm.example.org:8443/", "https://mdm.example.org:8443"},
        {"https://mdm.example.org:8443", "https://mdm.example.org:8443"},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"http://localhost", "http://localhost"},
        {"http://[::1]:80", "http://[::1]:80"},
        {"http://mdm.example.org", NULL},
        {"http://localhost.example.org", NULL},
        {"http://127.0.0.1.example.org", NULL},
        {"ftp://mdm.example.org", NULL},
        {"https://mdm.example.org/api", NULL},
        {"https://user@mdm.example.org", NULL},
        {"https://mdm.example.org?x=1", NULL},
        {"https://", NULL},
        {"", NULL},
        {"mdm example org", NULL},
        {"mdm\texample", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_pool(NULL, 4096);
        struct err err = {0};
        char *server = NULL;
        if (cases[i][1]) {
            assert_works(server_normalise(owner, cases[i][0], &server, &err), err);
            assert_string_equal(server, cases[i][1]);
        } else {
            assert_fails(server_normalise(owner, cases[i][0], &server, &err), err, ERR_BAD_INPUT);
            assert_null(server);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_comes_back),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(a_damaged_file_is_told),
        cmocka_unit_test(addresses_of_servers_are_made_equal_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
