/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/plausible.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/comply.h"

/* A build is a number that grows by one with each major version, a letter, and a count. */
static const struct build_row {
    int64_t build, ios, macos; /* major versions; 0: none */
} build_rows[] = {
    {13, 9, 0},   {14, 10, 0},  {15, 11, 0},  {16, 12, 0},  {17, 13, 0}, {18, 14, 0}, {19, 15, 10},
    {20, 16, 11}, {21, 17, 12}, {22, 18, 13}, {23, 26, 14}, {24, 0, 15}, {25, 0, 26},
};

static int64_t major_of(const struct build_row *row, enum platform platform)
{
    return platform == PLATFORM_MACOS ? row->macos : row->ios;
}

/* The number before the first character that is none of its digits; -1: there is none. */
static int64_t number_before(const char *text, const char **rest)
{
    struct err ignored;
    int64_t number = -1;
    size_t size = strspn(text, "0123456789");
    if (!number_parse((struct bytes){(const uint8_t *)text, size}, 0, 9999, &number, &ignored))
        return -1;
    *rest = text + size;
    return number;
}

/* "21F90", "21E5184i": the number in front; -1: it is no build. */
static int64_t build_number(const char *build)
{
    const char *rest = NULL;
    int64_t number = number_before(build, &rest);
    if (number < 0 || *rest < 'A' || *rest > 'Z')
        return -1;
    size_t digits = strspn(rest + 1, "0123456789");
    const char *end = rest + 1 + digits;
    bool has_mark = *end >= 'a' && *end <= 'z';
    return digits > 0 && digits <= 5 && end[has_mark] == '\0' ? number : -1;
}

static int64_t version_major(const char *version)
{
    const char *rest = NULL;
    int64_t major = number_before(version, &rest);
    return major >= 0 && (*rest == '\0' || *rest == '.') ? major : -1;
}

enum plausibility apple_build_judge(enum platform platform, const char *version, const char *build)
{
    int64_t major = version_major(version), number = build_number(build);
    bool knows_major = false, knows_number = false;
    if (major < 0 || number < 0)
        return IMPLAUSIBLE;
    for (size_t i = 0; i < COUNT(build_rows); i++) {
        int64_t known = major_of(&build_rows[i], platform);
        if (known == 0)
            continue;
        if (known == major && build_rows[i].build == number)
            return PLAUSIBLE;
        knows_major = knows_major || known == major;
        knows_number = knows_number || build_rows[i].build == number;
    }
    return knows_major || knows_number ? IMPLAUSIBLE : PLAUSIBILITY_UNKNOWN;
}

static const char *value_of(const struct fact *facts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(facts[i].name, name))
            return facts[i].value;
    return NULL;
}

void apple_facts_weigh(void *owner, enum platform platform, int64_t now, const struct fact **facts,
                       size_t *count)
{
    const char *version = value_of(*facts, *count, FACT_OS_VERSION);
    const char *build = value_of(*facts, *count, FACT_OS_BUILD);
    if (!version || !build)
        return;
    enum plausibility judged = apple_build_judge(platform, version, build);
    if (judged == PLAUSIBILITY_UNKNOWN)
        return;
    struct fact *more = mem_array(owner, struct fact, *count + 1);
    for (size_t i = 0; i < *count; i++)
        more[i] = (*facts)[i];
    more[*count] = (struct fact){.name = mem_text(owner, FACT_OS_PLAUSIBLE),
                                 .value = mem_text(owner, judged == PLAUSIBLE ? "true" : "false"),
                                 .evidence = EVIDENCE_MEASURED,
                                 .source = mem_text(owner, "version and build"),
                                 .reported_at = now};
    *facts = more;
    *count += 1;
}
