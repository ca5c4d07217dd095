/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/id.h"
#include "tests/unit/keyd/process.h"

static void a_sealed_value_opens_again_after_a_restart(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes sealed, plain;
    assert_works(keyd_seal(process->keyd, owner, KEYD_CLASS_DEVICE, "d1", bytes_text("magic"),
                           &sealed, &err),
                 err);
    assert_null(memmem(sealed.data, sealed.size, "magic", 5));
    process_restart(process, true);
    assert_works(keyd_open(process->keyd, owner, KEYD_CLASS_DEVICE, "d1", sealed, &plain, &err),
                 err);
    assert_true(bytes_equal(plain, bytes_text("magic")));
    process_restart(process, false);
    assert_works(keyd_open(process->keyd, owner, KEYD_CLASS_DEVICE, "d1", sealed, &plain, &err),
                 err);
}

static void a_sealed_value_opens_only_for_its_class_and_subject(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes sealed, plain;
    assert_works(keyd_seal(process->keyd, owner, KEYD_CLASS_COMMAND, "c1", bytes_text("token"),
                           &sealed, &err),
                 err);
    assert_fails(keyd_open(process->keyd, owner, KEYD_CLASS_COMMAND, "c2", sealed, &plain, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(keyd_open(process->keyd, owner, KEYD_CLASS_DEVICE, "c1", sealed, &plain, &err),
                 err, ERR_BAD_INPUT);
    struct bytes shorter = {sealed.data, sealed.size - 1};
    assert_fails(keyd_open(process->keyd, owner, KEYD_CLASS_COMMAND, "c1", shorter, &plain, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(keyd_open(process->keyd, owner, KEYD_CLASS_COMMAND, "c1", NO_BYTES, &plain, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(keyd_seal(process->keyd, owner, (enum keyd_class)9, "c1", sealed, &plain, &err),
                 err, ERR_BAD_INPUT);
    assert_fails(keyd_seal(process->keyd, owner, KEYD_CLASS_DEVICE, NULL, sealed, &plain, &err),
                 err, ERR_BAD_INPUT);
}

static void opening_a_command_secret_leaves_a_line_in_the_journal(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes sealed, plain, journal;
    assert_works(keyd_seal(process->keyd, owner, KEYD_CLASS_COMMAND, "cmd 7\nforged",
                           bytes_text("unlock"), &sealed, &err),
                 err);
    assert_works(
        keyd_open(process->keyd, owner, KEYD_CLASS_COMMAND, "cmd 7\nforged", sealed, &plain, &err),
        err);
    char *path = mem_format(owner, "%s/journal", process->directory);
    assert_works(file_read(owner, path, 1 << 20, &journal, &err), err);
    assert_non_null(memmem(journal.data, journal.size, " open about=cmd_7_forged mac=", 29));
}

static void a_keyed_hash_depends_on_its_use(void **state)
{
    struct process *process = *state;
    struct err err;
    uint8_t link[32], again[32], token[32];
    struct bytes secret = bytes_text("SECRET");
    assert_works(keyd_mac(process->keyd, KEYD_MAC_LINK, secret, link, &err), err);
    assert_works(keyd_mac(process->keyd, KEYD_MAC_LINK, secret, again, &err), err);
    assert_works(keyd_mac(process->keyd, KEYD_MAC_TOKEN, secret, token, &err), err);
    assert_memory_equal(link, again, 32);
    assert_memory_not_equal(link, token, 32);
    assert_works(keyd_mac(process->keyd, KEYD_MAC_TOKEN, NO_BYTES, token, &err), err);
    assert_fails(keyd_mac(process->keyd, (enum keyd_mac)0, secret, token, &err), err,
                 ERR_BAD_INPUT);
}

static void large_secrets_go_over_in_several_frames(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct err err;
    struct bytes sealed, plain;
    struct bytes large = {mem_array(owner, uint8_t, 200000), 200000};
    assert_works(keyd_seal(process->keyd, owner, KEYD_CLASS_CONNECTOR, "c", large, &sealed, &err),
                 err);
    assert_works(keyd_open(process->keyd, owner, KEYD_CLASS_CONNECTOR, "c", sealed, &plain, &err),
                 err);
    assert_true(bytes_equal(plain, large));
    struct bytes huge = {mem_array(owner, uint8_t, 300000), 300000};
    assert_fails(keyd_seal(process->keyd, owner, KEYD_CLASS_CONNECTOR, "c", huge, &sealed, &err),
                 err, ERR_TOO_LARGE);
    assert_works(keyd_ping(process->keyd, &err), err);
}

static void one_directory_serves_one_process(void **state)
{
    struct process *process = *state;
    struct keyd_options options = {.directory = process->directory};
    assert_int_equal(process_refused(&options), 1);
}

static void an_open_directory_is_refused(void **state)
{
    (void)state;
    char directory[] = "/tmp/keyd-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0755), 0);
    struct keyd_options options = {.directory = directory};
    assert_int_equal(process_refused(&options), 1);
    assert_int_equal(rmdir(directory), 0);
}

/* Take a file of the directory away, expect that keyd does not start, put it back. */
static void refuses_without(struct process *process, const char *name)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    char *path = mem_format(owner, "%s/%s", process->directory, name);
    char *away = mem_format(owner, "%s.away", path);
    struct keyd_options options = {.directory = process->directory};
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(process_refused(&options), 1);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rename(away, path), 0);
}

static void a_missing_part_is_never_made_anew(void **state)
{
    struct process *process = process_start(NULL);
    struct err err;
    (void)state;
    /* the lock belongs to the process: end it first */
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    (void)close(ends[1]);
    keyd_replace(process->keyd, ends[0]);
    assert_fails(keyd_ping(process->keyd, &err), err, ERR_UNAVAILABLE);
    assert_int_equal(process_wait(process), 0);
    refuses_without(process, "master.secret");
    refuses_without(process, "issuing.key");
    refuses_without(process, "issuing.crt");
    refuses_without(process, "registration.key");
    void *target = process;
    process->pid = fork();
    if (process->pid == 0)
        _exit(0);
    assert_int_equal(process_tear_down(&target), 0);
}

static void no_file_of_the_directory_is_open_to_others_or_holds_a_key(void **state)
{
    struct process *process = *state;
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    static const char *const names[] = {"root.key",    "issuing.key", "registration.key",
                                        "profile.key", "audit.key",   "master.secret"};
    /* what every private key in the open holds; long enough not to stand in sealed bytes by chance
     */
    static const char *const marks[] = {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", /* RSA */
                                        "\x2a\x86\x48\xce\x3d\x02\x01",         /* EC */
                                        "PRIVATE KEY"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stat about;
        struct err err;
        struct bytes content;
        char *path = mem_format(owner, "%s/%s", process->directory, names[i]);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0400);
        assert_works(file_read(owner, path, 65536, &content, &err), err);
        for (size_t mark = 0; mark < COUNT(marks); mark++)
            assert_null(memmem(content.data, content.size, marks[mark], strlen(marks[mark])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_value_opens_again_after_a_restart),
        cmocka_unit_test(a_sealed_value_opens_only_for_its_class_and_subject),
        cmocka_unit_test(opening_a_command_secret_leaves_a_line_in_the_journal),
        cmocka_unit_test(a_keyed_hash_depends_on_its_use),
        cmocka_unit_test(large_secrets_go_over_in_several_frames),
        cmocka_unit_test(one_directory_serves_one_process),
        cmocka_unit_test(an_open_directory_is_refused),
        cmocka_unit_test(a_missing_part_is_never_made_anew),
        cmocka_unit_test(no_file_of_the_directory_is_open_to_others_or_holds_a_key),
    };
    return cmocka_run_group_tests(tests, process_set_up, process_tear_down);
}
