/* SPDX-License-Identifier: Apache-2.0 */
/* What a compromised server could ask of keyd: one byte of operation, then its fields. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <unistd.h>

#include "keyd/answer.h"

#define NOW 1800000000 /* the authority is made at this time, and asked at this time */

/* keyd keeps what it needs open: the directory can go at once. */
static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    (void)rmdir(path);
}

static struct vault *vault_make(void)
{
    char path[] = "/tmp/fuzz-keyd-XXXXXX";
    struct vault *made;
    struct err err;
    if (!mkdtemp(path))
        bug("no temporary directory");
    struct keyd_options options = {.directory = path};
    FUZZ_WORKS(vault_open(NULL, &options, NOW, &made, &err), err);
    remove_directory(path);
    return made;
}

static struct vault *vault;

/* Before the first input: making keys would count as the time of that input. */
__attribute__((constructor)) static void vault_prepare(void)
{
    vault = vault_make();
}

FUZZ_HARNESS(owner, in)
{
    struct wire_head reply;
    struct buffer out;
    if (in.size == 0)
        return;
    struct wire_head head = {.operation = in.data[0], .id = 7};
    struct bytes payload = {in.data + 1, in.size - 1};
    buffer_init(&out, owner, WIRE_MESSAGE_MAX);
    keyd_answer(vault, NOW, &head, payload, &reply, &out);
    FUZZ_HOLDS(reply.id == 7 && reply.operation == head.operation);
    FUZZ_HOLDS(reply.status <= ERR_INTERNAL && !out.failed);
    FUZZ_HOLDS(reply.status == 0 || out.size > 0);
}
