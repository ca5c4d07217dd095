/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/sandbox.h"

static const char *const made[] = {"data",     "data/db",      "data/keys",  "run",
                                   "run/edge", "run/edge-tmp", "run/sockets"};

struct place {
    void *owner;
    char *folder;
    struct options options;
};

static char *below(struct place *place, const char *name)
{
    return mem_format(place->owner, "%s/%s", place->folder, name);
}

static int place_make(void **state)
{
    char pattern[] = "/tmp/muster-sandbox-XXXXXX";
    struct place *place = mem_new(NULL, struct place);
    struct err err;
    place->owner = place;
    assert_non_null(mkdtemp(pattern));
    place->folder = mem_text(place, pattern);
    for (size_t i = 0; i < COUNT(made); i++)
        assert_int_equal(mkdir(below(place, made[i]), 0700), 0);
    char *empty = mem_text(place, "");
    place->options = (struct options){
        .data_dir = below(place, "data"),
        .run_dir = below(place, "run"),
        .database = mem_format(place, "sqlite:%s/data/db/muster.db", pattern),
        .edge_program = mem_text(place, "/usr/sbin/nginx"),
        .apns_ca_file = empty,
        .front_certificate = empty,
        .front_key = empty,
        .front_certificate_2 = empty,
        .front_key_2 = empty,
        .device_certificate = empty,
        .device_key = empty,
        .device_certificate_2 = empty,
        .device_key_2 = empty,
        .front_url = empty,
        .device_url = empty,
    };
    assert_works(
        file_write(below(place, "data/keys/master.secret"), bytes_text("secret"), 0600, &err), err);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    (void)unlink(below(place, "data/keys/master.secret"));
    (void)unlink(below(place, "data/db/new"));
    for (size_t i = COUNT(made); i-- > 0;)
        (void)rmdir(below(place, made[i]));
    assert_int_equal(rmdir(place->folder), 0);
    mem_free(place);
    return 0;
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* What open() says in a process that has gone through it: 0 or errno; -1: it could not. */
static int opened_inside(struct place *place, const char *name, int flags)
{
    const char *path = *name == '/' ? name : below(place, name);
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err;
        if (!sandbox_files(&place->options, &err))
            _exit(255);
        _exit(open(path, flags | O_CLOEXEC, 0600) < 0 ? errno : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_server_reaches_its_own_and_not_the_keys(void **state)
{
    struct place *place = *state;
    if (!has_landlock())
        fail_msg("this kernel has no Landlock: the test cannot say anything");
    assert_int_equal(opened_inside(place, "data/db/new", O_RDWR | O_CREAT), 0);
    assert_int_equal(opened_inside(place, "run/sockets", O_RDONLY), 0);
    assert_int_equal(opened_inside(place, "data/keys/master.secret", O_RDONLY), EACCES);
    assert_int_equal(opened_inside(place, "data/keys", O_RDONLY | O_DIRECTORY), EACCES);
    assert_int_equal(opened_inside(place, "data/lock", O_RDWR | O_CREAT), EACCES);
    assert_int_equal(opened_inside(place, "run", O_RDONLY | O_DIRECTORY), EACCES);
    assert_int_equal(opened_inside(place, "/tmp", O_RDONLY | O_DIRECTORY), EACCES);
}

/* Namespaces are where a process becomes somebody else; children and threads it may have. */
static int cloned_inside(int flags)
{
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err;
        if (!sandbox_calls(&err))
            _exit(255);
        long child = syscall(SYS_clone, (long)flags | SIGCHLD, NULL, NULL, NULL, 0);
        if (child == 0)
            _exit(0);
        int why = child < 0 ? errno : 0;
        if (child > 0)
            (void)waitpid((pid_t)child, NULL, 0);
        _exit(why);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void no_namespace_of_its_own_comes_from_a_clone(void **state)
{
    (void)state;
    assert_int_equal(cloned_inside(0), 0);
    assert_int_equal(cloned_inside(CLONE_NEWUSER), EPERM);
    assert_int_equal(cloned_inside(CLONE_NEWNET), EPERM);
    assert_int_equal(cloned_inside(CLONE_NEWUSER | CLONE_NEWNS), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_server_reaches_its_own_and_not_the_keys, place_make,
                                        place_remove),
        cmocka_unit_test(no_namespace_of_its_own_comes_from_a_clone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
