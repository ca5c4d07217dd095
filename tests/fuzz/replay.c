/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a harness over seed files without libFuzzer: `replay_x FOLDER...`.
 *
 * Each input is an allocation of its exact size, so that the sanitizers see a read behind it. Cut
 * inputs and a few that are too large to keep in the repository come on top. `--memory` goes
 * through everything a hundred times and fails when that costs memory.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/config.h"

#define FILE_MOST (8 << 20) /* bytes of one seed */
#define CUTS 48             /* shorter forms tried of each seed */
#define ROUNDS_FIRST 10
#define ROUNDS_ALL 100
#define LARGE_EVERY 10        /* rounds: the large inputs take most of the time */
#define GROWTH_MOST (4 << 20) /* bytes between the two */

struct inputs {
    struct bytes *list;
    size_t count;
};

static void input_add(struct inputs *inputs, struct bytes bytes)
{
    inputs->list = mem_grow(NULL, inputs->list, inputs->count + 1);
    inputs->list[inputs->count++] = bytes;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void folder_read(struct inputs *inputs, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_visible, alphasort);
    if (count <= 0)
        bug("no seeds in %s", folder);
    for (int i = 0; i < count; i++) {
        CLEANUP(mem_free_at) char *path = mem_format(NULL, "%s/%s", folder, entries[i]->d_name);
        struct bytes bytes;
        struct err err;
        if (!file_read(inputs->list, path, FILE_MOST, &bytes, &err))
            bug("%s", err.text);
        input_add(inputs, bytes);
        free(entries[i]); /* scandir allocates with malloc */
    }
    free(entries);
}

/* Inputs whose point is their size. */
static void large_add(struct inputs *inputs)
{
    static const struct {
        const char *before, *part;
        size_t times;
    } large[] = {
        {"<plist>", "<array>", 100000},
        {"<plist>", "<dict><key>a</key>", 100000},
        {"", "<a b='c'>", 100000},
        {"", "[", 100000},
        {"", "{\"a\":", 100000},
        {"[", "0,", 100000},
        {"<a b='", "x", 100000},
        {"<plist><string>", "&amp;", 100000},
        {"<plist><dict>", "<key>a</key><true/>", 50000},
        {"\"", "\\", 100000},
        {"", "a=b&", 50000},
        {"", "%41", 50000},
        {"", "-----BEGIN A-----\n", 10000},
    };
    for (size_t i = 0; i < COUNT(large); i++) {
        struct buffer text;
        buffer_init(&text, inputs->list, FILE_MOST);
        buffer_text(&text, large[i].before);
        for (size_t j = 0; j < large[i].times; j++)
            buffer_text(&text, large[i].part);
        input_add(inputs, (struct bytes){text.data, text.size});
    }
}

static void run(struct bytes in)
{
    CLEANUP(mem_free_at) uint8_t *exact = mem_items(NULL, 1, in.size);
    if (in.size > 0)
        memcpy(exact, in.data, in.size);
    (void)LLVMFuzzerTestOneInput(exact, in.size);
}

static void run_cut(struct bytes in)
{
    size_t step = in.size / CUTS + 1;
    for (size_t size = 0; size < in.size; size += step)
        run((struct bytes){in.data, size});
}

static size_t memory_now(void)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct bytes text;
    struct err err;
    unsigned long pages, resident;
    if (!file_read(owner, "/proc/self/statm", 4096, &text, &err) ||
        sscanf((const char *)text.data, "%lu %lu", &pages, &resident) != 2)
        bug("memory in use is unknown");
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static int memory_check(const struct inputs *inputs, size_t seeds)
{
    size_t first = 0;
    for (int round = 1; round <= ROUNDS_ALL; round++) {
        size_t count = round % LARGE_EVERY == 0 ? inputs->count : seeds;
        for (size_t i = 0; i < count; i++)
            run(inputs->list[i]);
        if (round == ROUNDS_FIRST)
            first = memory_now();
    }
    size_t last = memory_now();
    (void)printf("resident after %d rounds %zu kB, after %d rounds %zu kB\n", ROUNDS_FIRST,
                 first / 1024, ROUNDS_ALL, last / 1024);
    return last > first + GROWTH_MOST;
}

int main(int argc, char **argv)
{
    bool is_memory = argc > 1 && strcmp(argv[1], "--memory") == 0;
    CLEANUP(mem_free_at) struct bytes *list = mem_array(NULL, struct bytes, 1);
    struct inputs inputs = {list, 0};
    for (int i = is_memory ? 2 : 1; i < argc; i++)
        folder_read(&inputs, argv[i]);
    size_t seeds = inputs.count;
    large_add(&inputs);
    list = inputs.list;
    if (is_memory)
        return memory_check(&inputs, seeds);
    for (size_t i = 0; i < inputs.count; i++)
        run(inputs.list[i]);
    for (size_t i = 0; i < seeds; i++)
        run_cut(inputs.list[i]);
    (void)printf("%zu inputs\n", inputs.count);
    return 0;
}
