/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/apple/found.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define BYPASS_CODE_LONGEST 255  /* bytes */
#define ACCURACY_MOST 20000000.0 /* metres: half around */

/* A whole number is written as an integer by some. */
static bool number_read(const struct plist *dict, const char *key, double lowest, double highest,
                        double *out)
{
    const struct plist *value = plist_get(dict, key);
    if (!value || (value->type != PLIST_REAL && value->type != PLIST_INTEGER))
        return false;
    double number = value->type == PLIST_REAL ? value->real : (double)value->integer;
    if (!(number >= lowest && number <= highest)) /* nor not a number */
        return false;
    *out = number;
    return true;
}

static int64_t time_read(const struct plist *dict, const char *key)
{
    const struct plist *value = plist_get(dict, key);
    int64_t at = 0;
    struct err ignored; /* not told is no reason to drop the rest */
    if (value && value->type == PLIST_DATE)
        return value->integer;
    if (value && value->type == PLIST_TEXT && !time_parse(value->text, &at, &ignored))
        return 0;
    return at;
}

bool apple_position_read(const struct plist *answer, struct position *out)
{
    struct position position = {.accuracy = -1};
    if (!number_read(answer, "Latitude", -90, 90, &position.latitude) ||
        !number_read(answer, "Longitude", -180, 180, &position.longitude))
        return false;
    /* newer systems call it HorizontalAccuracy, older ones Accuracy; not told: -1 */
    bool is_told =
        number_read(answer, "HorizontalAccuracy", 0, ACCURACY_MOST, &position.accuracy) ||
        number_read(answer, "Accuracy", 0, ACCURACY_MOST, &position.accuracy);
    (void)is_told;
    position.measured_at = time_read(answer, "Timestamp");
    *out = position;
    return true;
}

const char *apple_bypass_code_read(const struct plist *answer)
{
    const char *code = plist_text(answer, "ActivationLockBypassCode");
    size_t size = code ? strlen(code) : 0;
    return size > 0 && size <= BYPASS_CODE_LONGEST ? code : NULL;
}
