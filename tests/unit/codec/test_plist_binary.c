/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "codec/plist.h"

#define LIMIT (1 << 20)
#define OBJECTS_MOST 200000

static const struct plist_limits limits = {LIMIT, 16, 1000};

/* A file under construction: objects in order, offset table and trailer at the end. */
struct file {
    struct buffer out;
    uint32_t offsets[OBJECTS_MOST];
    uint32_t count;
};

static struct file *file_begin(void *owner)
{
    struct file *file = mem_new(owner, struct file);
    buffer_init(&file->out, file, 16 << 20);
    buffer_text(&file->out, "bplist00");
    return file;
}

static void object_add(struct file *file, const void *bytes, size_t size)
{
    file->offsets[file->count++] = (uint32_t)file->out.size;
    buffer_add(&file->out, (struct bytes){bytes, size});
}
#define OBJECT(file, ...)                                                                          \
    object_add(file, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void number_add(struct buffer *out, uint64_t number, size_t size)
{
    while (size-- > 0)
        buffer_byte(out, (uint8_t)(number >> (8 * size)));
}

static void trailer_add(struct file *file, unsigned offset_size, unsigned reference_size,
                        uint64_t count, uint64_t top, uint64_t table)
{
    number_add(&file->out, 0, 6);
    number_add(&file->out, offset_size, 1);
    number_add(&file->out, reference_size, 1);
    number_add(&file->out, count, 8);
    number_add(&file->out, top, 8);
    number_add(&file->out, table, 8);
}

static struct bytes file_end(struct file *file, unsigned offset_size, unsigned reference_size)
{
    uint64_t table = file->out.size;
    for (uint32_t i = 0; i < file->count; i++)
        number_add(&file->out, file->offsets[i], offset_size);
    trailer_add(file, offset_size, reference_size, file->count, 0, table);
    return (struct bytes){file->out.data, file->out.size};
}

/* A file of one object. */
static struct bytes single(void *owner, const void *bytes, size_t size)
{
    struct file *file = file_begin(owner);
    object_add(file, bytes, size);
    return file_end(file, 1, 1);
}
#define SINGLE(owner, ...) single(owner, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void every_type_is_read(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct file *file = file_begin(owner);
    struct plist *root;
    struct err err;
    (void)state;
    OBJECT(file, 0xD3, 1, 2, 3, 4, 5, 6);
    OBJECT(file, 0x51, 'a');
    OBJECT(file, 0x61, 0x26, 0x3A);
    OBJECT(file, 0x5F, 0x10, 3, 'x', 'y', 'z');
    OBJECT(file, 0xA4, 7, 8, 9, 10);
    OBJECT(file, 0x62, 0xD8, 0x3D, 0xDE, 0x00);
    OBJECT(file, 0x42, 0, 255);
    OBJECT(file, 0x09);
    OBJECT(file, 0x11, 0xFF, 0xFF);
    OBJECT(file, 0x22, 0x3F, 0x00, 0x00, 0x00);
    OBJECT(file, 0x33, 0xBF, 0xF8, 0, 0, 0, 0, 0, 0); /* 1.5 s before 2001 */
    assert_works(plist_parse(owner, file_end(file, 2, 1), &limits, &root, &err), err);
    assert_int_equal(root->count, 3);
    assert_string_equal(plist_text(root, "\xe2\x98\xba"), "\xf0\x9f\x98\x80");
    assert_int_equal(plist_get(root, "xyz")->data.size, 2);
    const struct plist *array = plist_get(root, "a");
    assert_int_equal(array->first->type, PLIST_BOOLEAN);
    assert_int_equal(array->first->integer, 1);
    assert_int_equal(array->first->next->integer, 65535);
    assert_true(array->first->next->next->real == 0.5);
    assert_int_equal(array->last->integer, 978307198);
}

static void integers_of_each_size_are_read(void **state)
{
    static const struct {
        uint8_t bytes[17];
        size_t size;
        int64_t value;
    } cases[] = {
        {{0x10, 0xFF}, 2, 255},
        {{0x12, 0xFF, 0xFF, 0xFF, 0xFF}, 5, 4294967295},
        {{0x13, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE}, 9, -2},
        {{0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
         17,
         INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct plist *root;
        struct err err;
        assert_works(
            plist_parse(owner, single(owner, cases[i].bytes, cases[i].size), &limits, &root, &err),
            err);
        assert_int_equal(root->integer, cases[i].value);
    }
}

static void malformed_objects_are_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const struct bytes bad[] = {
        SINGLE(owner, 0x00),       /* null */
        SINGLE(owner, 0x0F),       /* fill */
        SINGLE(owner, 0x80, 1),    /* UID */
        SINGLE(owner, 0xB0),       /* ordered set */
        SINGLE(owner, 0xC0),       /* set */
        SINGLE(owner, 0xF0),       /* unknown */
        SINGLE(owner, 0x15, 0),    /* 32 byte integer */
        SINGLE(owner, 0x12, 0, 0), /* cut integer */
        SINGLE(owner, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0), /* 2^63 */
        SINGLE(owner, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        SINGLE(owner, 0x23, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0),    /* NaN */
        SINGLE(owner, 0x22, 0x7F, 0x80, 0, 0),                /* infinity */
        SINGLE(owner, 0x21, 0, 0),                            /* two byte real */
        SINGLE(owner, 0x33, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0),    /* date infinity */
        SINGLE(owner, 0x33, 0x7E, 0xF0, 0, 0, 0, 0, 0, 0),    /* date far away */
        SINGLE(owner, 0x32, 0, 0, 0, 0),                      /* date as float */
        SINGLE(owner, 0x52, 'a'),                             /* cut string */
        SINGLE(owner, 0x51, 0),                               /* NUL */
        SINGLE(owner, 0x51, 0x80),                            /* not ASCII */
        SINGLE(owner, 0x61, 0xD8, 0x00),                      /* lone high surrogate */
        SINGLE(owner, 0x61, 0xDC, 0x00),                      /* lone low surrogate */
        SINGLE(owner, 0x62, 0xD8, 0x00, 0x00, 0x41),          /* high without low */
        SINGLE(owner, 0x61, 0x00, 0x00),                      /* NUL */
        SINGLE(owner, 0x6F, 0x13, 0x80, 0, 0, 0, 0, 0, 0, 1), /* 2^63 + 1 units */
        SINGLE(owner, 0x4F, 0x13, 0x10, 0, 0, 0, 0, 0, 0, 0), /* 2^60 bytes */
        SINGLE(owner, 0xAF, 0x13, 0x10, 0, 0, 0, 0, 0, 0, 0), /* 2^60 members */
        SINGLE(owner, 0xDF, 0x13, 0x80, 0, 0, 0, 0, 0, 0, 0), /* 2^63 pairs */
        SINGLE(owner, 0x5F),                                  /* count missing */
        SINGLE(owner, 0x5F, 0x14, 0),                         /* count of 16 bytes */
        SINGLE(owner, 0x5F, 0x51, 'a'),                       /* count that is a string */
        SINGLE(owner, 0xA1, 0),                               /* contains itself */
        SINGLE(owner, 0xA1, 1),                               /* no such object */
        SINGLE(owner, 0xD1, 0, 0),                            /* key that is a dict */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct plist *root;
        struct err err;
        assert_fails(plist_parse(NULL, bad[i], &limits, &root, &err), err, ERR_BAD_INPUT);
    }
}

static void trailers_that_lie_are_refused(void **state)
{
    static const struct {
        unsigned offset_size, reference_size;
        uint64_t count, top, table;
    } bad[] = {
        {0, 1, 1, 0, 9},          {9, 1, 1, 0, 9},          {1, 0, 1, 0, 9},
        {1, 9, 1, 0, 9},          {1, 1, 0, 0, 9},          {1, 1, 2, 0, 9},
        {1, 1, 1, 1, 9},          {1, 1, 1, 0, 10},         {1, 1, 1, 0, 7},
        {1, 1, 1, 0, 0},          {1, 1, 1, 0, 1ull << 60}, {1, 1, 1, 0, UINT64_MAX},
        {1, 1, 1ull << 60, 0, 9}, {8, 1, 1ull << 61, 0, 9}, {1, 1, UINT64_MAX, UINT64_MAX - 1, 9},
        {1, 1, 3, 0, 8},          {1, 1, 2, 1, 8},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct file *file = file_begin(owner);
        struct plist *root;
        struct err err;
        OBJECT(file, 0x09);
        number_add(&file->out, 8, 1);
        trailer_add(file, bad[i].offset_size, bad[i].reference_size, bad[i].count, bad[i].top,
                    bad[i].table);
        assert_fails(
            plist_parse(NULL, (struct bytes){file->out.data, file->out.size}, &limits, &root, &err),
            err, ERR_BAD_INPUT);
    }
}

static void offsets_outside_of_the_objects_are_refused(void **state)
{
    static const uint32_t offsets[] = {0, 7, 9, 10, 200};
    (void)state;
    for (size_t i = 0; i < COUNT(offsets); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct file *file = file_begin(owner);
        struct plist *root;
        struct err err;
        OBJECT(file, 0x09);
        file->offsets[0] = offsets[i];
        assert_fails(plist_parse(NULL, file_end(file, 4, 1), &limits, &root, &err), err,
                     ERR_BAD_INPUT);
    }
}

static void every_prefix_of_a_file_is_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct file *file = file_begin(owner);
    struct plist *root;
    struct err err;
    (void)state;
    OBJECT(file, 0xD1, 1, 2);
    OBJECT(file, 0x51, 'a');
    OBJECT(file, 0x51, 'b');
    struct bytes whole = file_end(file, 1, 1);
    for (size_t size = 0; size < whole.size; size++) {
        CLEANUP(mem_free_at) uint8_t *part = mem_copy(NULL, whole.data, size ? size : 1);
        assert_fails(plist_parse(NULL, (struct bytes){part, size}, &limits, &root, &err), err,
                     ERR_BAD_INPUT);
    }
    buffer_byte(&file->out, 0);
    assert_fails(
        plist_parse(NULL, (struct bytes){file->out.data, whole.size + 1}, &limits, &root, &err),
        err, ERR_BAD_INPUT);
}

static void keys_must_be_different_strings(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct file *file = file_begin(owner), *other = file_begin(owner);
    struct plist *root;
    struct err err;
    (void)state;
    OBJECT(file, 0xD2, 1, 2, 1, 1);
    OBJECT(file, 0x51, 'a');
    OBJECT(file, 0x61, 0, 'a');
    assert_fails(plist_parse(NULL, file_end(file, 1, 1), &limits, &root, &err), err, ERR_BAD_INPUT);
    OBJECT(other, 0xD1, 1, 1);
    OBJECT(other, 0x10, 1);
    assert_fails(plist_parse(NULL, file_end(other, 1, 1), &limits, &root, &err), err,
                 ERR_BAD_INPUT);
}

static void a_cycle_over_several_objects_is_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct file *file = file_begin(owner);
    struct plist *root;
    struct err err;
    (void)state;
    OBJECT(file, 0xA1, 1);
    OBJECT(file, 0xD1, 2, 3);
    OBJECT(file, 0x51, 'a');
    OBJECT(file, 0xA2, 2, 0);
    assert_fails(plist_parse(NULL, file_end(file, 1, 1), &limits, &root, &err), err, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "itself"));
}

static void shared_objects_count_each_time(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct file *file = file_begin(owner), *texts = file_begin(owner);
    struct plist_limits wide = {LIMIT, 32, 1 << 20};
    struct plist *root;
    struct err err;
    (void)state;
    for (uint8_t i = 0; i < 12; i++) /* each level has the next one ten times: 10^12 values */
        OBJECT(file, 0xAA, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1, i + 1);
    OBJECT(file, 0x09);
    assert_fails(plist_parse(NULL, file_end(file, 1, 1), &limits, &root, &err), err, ERR_TOO_LARGE);
    OBJECT(texts, 0xAE, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    OBJECT(texts, 0x5F, 0x12, 0, 1, 0x86, 0xA0); /* 100,000 bytes, 14 times */
    for (size_t i = 0; i < 100000; i++)
        buffer_byte(&texts->out, 'x');
    assert_fails(plist_parse(NULL, file_end(texts, 4, 1), &wide, &root, &err), err, ERR_TOO_LARGE);
}

static void a_hundred_thousand_nested_arrays_are_refused(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct plist_limits deep = {16 << 20, 1 << 20, 1 << 20};
    struct file *file = file_begin(owner);
    struct plist *root;
    struct err err;
    (void)state;
    for (uint32_t i = 1; i <= 100000; i++)
        OBJECT(file, 0xA1, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
    OBJECT(file, 0x09);
    struct bytes whole = file_end(file, 3, 4);
    assert_fails(plist_parse(NULL, whole, &limits, &root, &err), err, ERR_TOO_LARGE);
    assert_fails(plist_parse(NULL, whole, &deep, &root, &err), err, ERR_TOO_LARGE);
}

static void references_of_each_size_are_read(void **state)
{
    static const unsigned sizes[] = {1, 2, 3, 4, 8};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
        struct file *file = file_begin(owner);
        struct plist *root;
        struct err err;
        OBJECT(file, 0xA1);
        number_add(&file->out, 1, sizes[i]);
        OBJECT(file, 0x10, 7);
        assert_works(plist_parse(owner, file_end(file, sizes[i], sizes[i]), &limits, &root, &err),
                     err);
        assert_int_equal(root->first->integer, 7);
        assert_null(root->next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(integers_of_each_size_are_read),
        cmocka_unit_test(malformed_objects_are_refused),
        cmocka_unit_test(trailers_that_lie_are_refused),
        cmocka_unit_test(offsets_outside_of_the_objects_are_refused),
        cmocka_unit_test(every_prefix_of_a_file_is_refused),
        cmocka_unit_test(keys_must_be_different_strings),
        cmocka_unit_test(a_cycle_over_several_objects_is_refused),
        cmocka_unit_test(shared_objects_count_each_time),
        cmocka_unit_test(a_hundred_thousand_nested_arrays_are_refused),
        cmocka_unit_test(references_of_each_size_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
