/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "base/bytes.h"

static void bytes_are_equal_by_size_and_content(void **state)
{
    struct bytes a = bytes_text("abc"), b = bytes_text("abd"), shorter = bytes_text("ab");
    (void)state;
    assert_true(bytes_equal(a, a));
    assert_false(bytes_equal(a, b));
    assert_false(bytes_equal(a, shorter));
    assert_true(bytes_equal(NO_BYTES, bytes_text("")));
}

static void a_copy_is_never_null(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    assert_non_null(bytes_copy(owner, NO_BYTES).data);
    assert_int_equal(bytes_copy(owner, NO_BYTES).size, 0);
    assert_true(bytes_equal(bytes_copy(owner, bytes_text("ab")), bytes_text("ab")));
}

static void only_text_becomes_text(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    (void)state;
    assert_string_equal(bytes_to_text(owner, bytes_text("\xc3\xa9")), "\xc3\xa9");
    assert_string_equal(bytes_to_text(owner, NO_BYTES), "");
    assert_null(bytes_to_text(owner, bytes_text("\xff")));
    assert_null(bytes_to_text(owner, BYTES_OF("a\0b")));
}

static void a_wiped_secret_is_gone(void **state)
{
    char secret[] = "secret";
    (void)state;
    bytes_wipe(secret, sizeof(secret));
    for (size_t i = 0; i < sizeof(secret); i++)
        assert_int_equal(secret[i], 0);
}

static void a_buffer_grows_to_its_limit_and_not_beyond(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct buffer buffer;
    struct bytes out = NO_BYTES;
    struct err err;
    (void)state;
    buffer_init(&buffer, owner, 1000);
    assert_string_equal(buffer_string(&buffer), "");
    for (int i = 0; i < 100; i++)
        buffer_format(&buffer, "%09d.", i);
    assert_works(buffer_done(&buffer, &out, &err), err);
    assert_int_equal(out.size, 1000);
    assert_int_equal(out.data[1000], 0);
    assert_memory_equal(out.data + 990, "000000099.", 10);
    buffer_byte(&buffer, 'x');
    buffer_text(&buffer, "");
    assert_fails(buffer_done(&buffer, &out, &err), err, ERR_TOO_LARGE);
    buffer_clear(&buffer);
    buffer_text(&buffer, "again");
    assert_works(buffer_done(&buffer, &out, &err), err);
    assert_string_equal(buffer_string(&buffer), "again");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, owner, 4);
    buffer_text(&buffer, "abc");
    buffer_text(&buffer, "de");
    buffer_text(&buffer, "f");
    assert_string_equal(buffer_string(&buffer), "abc");
    assert_true(buffer.failed);
}

static void numbers_are_read_big_endian(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct reader reader = reader_of(BYTES_OF(data));
    (void)state;
    assert_int_equal(reader_u8(&reader), 1);
    assert_int_equal(reader_u16(&reader), 0x0203);
    assert_int_equal(reader_u32(&reader), 0x04050607);
    assert_int_equal(reader_u64(&reader), 0x08090A0B0C0D0E0F);
    assert_true(reader_ok(&reader));
    assert_false(reader_done(&reader));
    assert_int_equal(reader_left(&reader), 1);
    assert_true(bytes_equal(reader_take(&reader, 1), (struct bytes){data + 15, 1}));
    assert_true(reader_done(&reader));
}

static void a_reader_past_the_end_stays_failed(void **state)
{
    struct reader reader = reader_of(bytes_text("abc"));
    (void)state;
    assert_int_equal(reader_u32(&reader), 0);
    assert_false(reader_ok(&reader));
    assert_int_equal(reader_u8(&reader), 0);
    assert_null(reader_take(&reader, 0).data);
    assert_false(reader_done(&reader));
    reader = reader_of(bytes_text("abc"));
    assert_null(reader_take(&reader, SIZE_MAX).data);
    assert_false(reader_ok(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_equal_by_size_and_content),
        cmocka_unit_test(a_copy_is_never_null),
        cmocka_unit_test(only_text_becomes_text),
        cmocka_unit_test(a_wiped_secret_is_gone),
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_not_beyond),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(numbers_are_read_big_endian),
        cmocka_unit_test(a_reader_past_the_end_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
