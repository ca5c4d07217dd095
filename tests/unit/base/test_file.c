/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"

struct folder {
    char *path, *file, *unfinished;
};

static int folder_make(void **state)
{
    struct folder *folder = mem_new(NULL, struct folder);
    const char *base = getenv("TMPDIR");
    folder->path = mem_format(folder, "%s/muster-file-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder->path))
        return -1;
    folder->file = mem_format(folder, "%s/file", folder->path);
    folder->unfinished = mem_format(folder, "%s.new", folder->file);
    *state = folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    (void)unlink(folder->file);
    (void)unlink(folder->unfinished);
    (void)rmdir(folder->path);
    mem_free(folder);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    const struct folder *folder = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct stat info;
    struct bytes out;
    struct err err;
    assert_works(file_write(folder->file, bytes_text("old and longer"), 0644, &err), err);
    assert_works(file_write(folder->file, bytes_text("new"), 0600, &err), err);
    assert_works(file_read(owner, folder->file, 3, &out, &err), err);
    assert_true(bytes_equal(out, bytes_text("new")));
    assert_int_equal(stat(folder->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(access(folder->unfinished, F_OK), -1);
}

static void an_empty_file_is_read_as_empty(void **state)
{
    const struct folder *folder = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    assert_works(file_write(folder->file, NO_BYTES, 0600, &err), err);
    assert_works(file_read(owner, folder->file, 10, &out, &err), err);
    assert_non_null(out.data);
    assert_int_equal(out.size, 0);
}

static void limits_and_absence_are_told_apart(void **state)
{
    const struct folder *folder = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    assert_fails(file_read(owner, folder->file, 10, &out, &err), err, ERR_NOT_FOUND);
    assert_works(file_write(folder->file, bytes_text("12345678901"), 0600, &err), err);
    assert_fails(file_read(owner, folder->file, 10, &out, &err), err, ERR_TOO_LARGE);
    assert_fails(file_read(owner, folder->path, 10, &out, &err), err, ERR_UNAVAILABLE);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    const struct folder *folder = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes out;
    struct err err;
    assert_works(file_write(folder->file, bytes_text("old"), 0600, &err), err);
    assert_int_equal(symlink("/dev/null", folder->unfinished), 0); /* O_NOFOLLOW refuses it */
    assert_fails(file_write(folder->file, bytes_text("new"), 0600, &err), err, ERR_UNAVAILABLE);
    assert_works(file_read(owner, folder->file, 10, &out, &err), err);
    assert_true(bytes_equal(out, bytes_text("old")));
    CLEANUP(mem_free_at) char *nowhere = mem_format(NULL, "%s/no/file", folder->path);
    assert_fails(file_write(nowhere, NO_BYTES, 0600, &err), err, ERR_UNAVAILABLE);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_is_written_is_read),
        IN_A_FOLDER(an_empty_file_is_read_as_empty),
        IN_A_FOLDER(limits_and_absence_are_told_apart),
        IN_A_FOLDER(a_failed_write_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
