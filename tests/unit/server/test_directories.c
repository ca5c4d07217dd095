/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/directories.h"

static void file_at(const char *path)
{
    struct err err;
    assert_works(file_write(path, bytes_text("x"), 0600, &err), err);
}

static bool shell_works(const char *command)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* As data_dir was laid out before the database had a directory of its own. */
static void a_database_in_its_old_place_is_not_forgotten(void **state)
{
    char folder[] = "/tmp/muster-directories-XXXXXX";
    void *owner = mem_pool(NULL, 1024);
    struct err err;
    (void)state;
    assert_non_null(mkdtemp(folder));
    struct options options = {.data_dir = folder,
                              .database = mem_format(owner, "sqlite:%s/db/muster.db", folder)};
    const struct options elsewhere = {.data_dir = folder, .database = mem_text(owner, "postgres:")};
    char *before = mem_format(owner, "%s/muster.db", folder);
    char *database = mem_format(owner, "%s/db", folder);
    char *now = mem_format(owner, "%s/muster.db", database);
    assert_works(directories_check(&options, &err), err);
    file_at(before);
    assert_works(directories_check(&elsewhere, &err), err);
    assert_fails(directories_check(&options, &err), err, ERR_PRECONDITION);
    const char *command = strstr(err.text, "mkdir");
    assert_non_null(command);
    assert_true(shell_works(command)); /* what the text says can be typed */
    assert_int_equal(access(now, F_OK), 0);
    assert_int_not_equal(access(before, F_OK), 0);
    assert_works(directories_check(&options, &err), err);
    file_at(before); /* a copy that somebody left */
    assert_works(directories_check(&options, &err), err);
    (void)unlink(before);
    (void)unlink(now);
    (void)rmdir(database);
    (void)rmdir(folder);
    mem_free(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_in_its_old_place_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
