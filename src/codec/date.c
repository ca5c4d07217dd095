/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/date.h"

#include <stdio.h>
#include <string.h>

#define DAY ((int64_t)86400) /* seconds */

struct date {
    int64_t year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here, so that
 * the leap day is the last of its year; 719468 days lie between 0000-03-01 and 1970-01-01. */
static int64_t days_of(const struct date *date)
{
    int64_t year = date->month > 2 ? date->year : date->year - 1;
    int64_t month = date->month > 2 ? date->month - 3 : date->month + 9;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + date->day - 1 -
           719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_size(int64_t year, int64_t month)
{
    static const int64_t sizes[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : sizes[month - 1];
}

/* `count` digits at `at`, or -1. */
static int64_t digits_at(struct bytes text, size_t at, size_t count)
{
    int64_t number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

static bool is_valid(const struct date *date)
{
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= month_size(date->year, date->month) && date->hour >= 0 &&
           date->hour <= 23 && date->minute >= 0 && date->minute <= 59 && date->second >= 0 &&
           date->second <= 59;
}

bool date_parse(struct bytes text, int64_t *out)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size != DATE_SIZE)
        return false;
    for (size_t i = 0; i < DATE_SIZE; i++)
        if (form[i] != 'd' && (uint8_t)form[i] != text.data[i])
            return false;
    struct date date = {digits_at(text, 0, 4),  digits_at(text, 5, 2),  digits_at(text, 8, 2),
                        digits_at(text, 11, 2), digits_at(text, 14, 2), digits_at(text, 17, 2)};
    if (!is_valid(&date))
        return false;
    *out = days_of(&date) * DAY + date.hour * 3600 + date.minute * 60 + date.second;
    return true;
}

bool date_render(int64_t at, char out[DATE_SIZE + 1])
{
    if (at < DATE_LOWEST || at > DATE_HIGHEST)
        return false;
    int64_t days =
        (at - DATE_LOWEST) / DAY + days_of(&(struct date){.year = 1, .month = 1, .day = 1});
    int64_t second = (at - DATE_LOWEST) % DAY;
    struct date date = {.year = (days + 719468) * 400 / 146097, .month = 1, .day = 1};
    date.year += date.year == 0;
    while (days_of(&date) > days) /* the division is at most a year off, either way */
        date.year--;
    while (days - days_of(&date) >= (is_leap(date.year) ? 366 : 365))
        date.year++;
    for (; days - days_of(&date) >= month_size(date.year, date.month); date.month++)
        ;
    date.day = days - days_of(&date) + 1;
    char text[64];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)date.year,
                   (int)date.month, (int)date.day, (int)(second / 3600), (int)(second / 60 % 60),
                   (int)(second % 60));
    memcpy(out, text, DATE_SIZE);
    out[DATE_SIZE] = '\0';
    return true;
}
