/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/version.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define VERSION_PART_HIGHEST 999999999

static bool version_parts(const char *text, int64_t parts[VERSION_PARTS_MAX])
{
    struct err err;
    size_t count = 0;
    if (!text)
        return false;
    for (const char *at = text, *end = at; end; at = end + 1) {
        end = strchr(at, '.');
        struct bytes part = {(const uint8_t *)at, end ? (size_t)(end - at) : strlen(at)};
        if (count == VERSION_PARTS_MAX || part.size == 0 || part.data[0] == '-' ||
            !number_parse(part, 0, VERSION_PART_HIGHEST, &parts[count], &err))
            return false;
        count++;
        if (!end)
            break;
    }
    return true;
}

#define NUMBER_PARTS 3
#define NUMBER_BASE 10000

bool version_number(const char *text, int64_t *out, struct err *err)
{
    int64_t parts[VERSION_PARTS_MAX] = {0}, number = 0;
    bool is_one = version_parts(text, parts) && parts[0] > 0;
    for (size_t i = 0; i < VERSION_PARTS_MAX; i++) {
        is_one = is_one && parts[i] < (i < NUMBER_PARTS ? NUMBER_BASE : 1);
        if (i < NUMBER_PARTS && is_one)
            number = number * NUMBER_BASE + parts[i];
    }
    if (!is_one)
        return err_set(err, ERR_BAD_INPUT, "not a version like 18.2.1");
    *out = number;
    return true;
}

char *version_number_text(void *owner, int64_t number)
{
    int64_t patch = number % NUMBER_BASE, rest = number / NUMBER_BASE;
    int64_t major = rest / NUMBER_BASE, minor = rest % NUMBER_BASE;
    if (patch == 0)
        return mem_format(owner, "%" PRId64 ".%" PRId64, major, minor);
    return mem_format(owner, "%" PRId64 ".%" PRId64 ".%" PRId64, major, minor, patch);
}

bool version_compare(const char *a, const char *b, int *out)
{
    int64_t left[VERSION_PARTS_MAX] = {0};
    int64_t right[VERSION_PARTS_MAX] = {0};
    if (!version_parts(a, left) || !version_parts(b, right))
        return false;
    *out = 0;
    for (size_t i = 0; i < VERSION_PARTS_MAX && *out == 0; i++)
        *out = (left[i] > right[i]) - (left[i] < right[i]);
    return true;
}
