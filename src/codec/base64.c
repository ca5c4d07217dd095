/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64.h"

#include "base/mem.h"

enum rule { /* what one reading accepts */
            STANDARD = 1 << 0,
            URL_SAFE = 1 << 1,
            SKIP_BREAKS = 1 << 2, /* tab, CR, LF, FF */
            SKIP_SPACE = 1 << 3,
            SPACE_IS_PLUS = 1 << 4,
            MAY_PAD = 1 << 5,
            MUST_PAD = 1 << 6,
            LOOSE_BITS = 1 << 7, /* bits behind the last byte need not be zero */
};

struct state {
    unsigned rules;
    uint8_t *data;
    size_t size, room;
    size_t digits, padding;
    uint32_t bits;
};

static char *encode(void *owner, struct bytes in, const char *digits, bool padded)
{
    char *text = mem_array(owner, char, in.size / 3 * 4 + 5);
    char *to = text;
    for (size_t at = 0; at < in.size; at += 3) {
        size_t left = in.size - at;
        uint32_t bits = (uint32_t)in.data[at] << 16;
        bits |= left > 1 ? (uint32_t)in.data[at + 1] << 8 : 0;
        bits |= left > 2 ? in.data[at + 2] : 0;
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        if (left > 1 || padded)
            *to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        if (left > 2 || padded)
            *to++ = left > 2 ? digits[bits & 63] : '=';
    }
    *to = '\0';
    return text;
}

char *base64_encode(void *owner, struct bytes in)
{
    return encode(owner, in, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                  true);
}

char *base64url_encode(void *owner, struct bytes in)
{
    return encode(owner, in, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                  false);
}

static int digit_value(unsigned rules, uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if ((digit == '+' && rules & STANDARD) || (digit == '-' && rules & URL_SAFE) ||
        (digit == ' ' && rules & SPACE_IS_PLUS))
        return 62;
    if ((digit == '/' && rules & STANDARD) || (digit == '_' && rules & URL_SAFE))
        return 63;
    return -1;
}

static bool is_skipped(unsigned rules, uint8_t byte)
{
    if (byte == ' ')
        return rules & SKIP_SPACE;
    return rules & SKIP_BREAKS && (byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f');
}

/* One digit; false when the output has no room for what it completes. */
static bool digit_add(struct state *state, int value)
{
    state->bits = state->bits << 6 | (uint32_t)value;
    state->digits++;
    if (state->digits % 4 == 1)
        return true;
    if (state->size == state->room)
        return false;
    size_t spare = (3 - (state->digits - 1) % 4) * 2; /* 4, 2 or 0 bits not yet used */
    state->data[state->size++] = (uint8_t)(state->bits >> spare);
    return true;
}

static bool end_check(const struct state *state)
{
    size_t rest = state->digits % 4;
    uint32_t unused = rest == 2 ? 15 : rest == 3 ? 3 : 0;
    if (rest == 1 || (!(state->rules & LOOSE_BITS) && state->bits & unused))
        return false;
    if (state->padding == 0)
        return rest == 0 || !(state->rules & MUST_PAD);
    return rest != 0 && rest + state->padding == 4;
}

static bool decode(void *owner, struct bytes in, size_t limit, unsigned rules, struct bytes *out,
                   struct err *err)
{
    size_t most = in.size / 4 * 3 + 3;
    struct state state = {.rules = rules, .room = most < limit ? most : limit};
    CLEANUP(mem_free_at) uint8_t *data = mem_array(NULL, uint8_t, state.room + 1);
    state.data = data;
    for (size_t at = 0; at < in.size; at++) {
        uint8_t byte = in.data[at];
        int value = digit_value(rules, byte);
        if (is_skipped(rules, byte))
            continue;
        if (byte == '=' && rules & (MAY_PAD | MUST_PAD) && state.padding < 2)
            state.padding++;
        else if (value < 0 || state.padding > 0)
            return err_set(err, ERR_BAD_INPUT, "not base64 at byte %zu", at);
        else if (!digit_add(&state, value))
            return err_set(err, ERR_TOO_LARGE, "base64 holds more than %zu bytes", limit);
    }
    if (!end_check(&state))
        return err_set(err, ERR_BAD_INPUT, "base64 ends in the middle of a byte");
    *out = (struct bytes){mem_give(owner, &data), state.size};
    return true;
}

bool base64_decode(void *owner, struct bytes in, size_t limit, struct bytes *out, struct err *err)
{
    return decode(owner, in, limit, STANDARD | MUST_PAD, out, err);
}

bool base64url_decode(void *owner, struct bytes in, size_t limit, struct bytes *out,
                      struct err *err)
{
    return decode(owner, in, limit, URL_SAFE, out, err);
}

bool base64_decode_spaced(void *owner, struct bytes in, size_t limit, struct bytes *out,
                          struct err *err)
{
    return decode(owner, in, limit, STANDARD | SKIP_BREAKS | SKIP_SPACE | MUST_PAD, out, err);
}

bool base64_decode_lenient(void *owner, struct bytes in, size_t limit, struct bytes *out,
                           struct err *err)
{
    return decode(owner, in, limit,
                  STANDARD | URL_SAFE | SKIP_BREAKS | SPACE_IS_PLUS | MAY_PAD | LOOSE_BITS, out,
                  err);
}
