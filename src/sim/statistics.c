/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/statistics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define ERRORS_MAX 50 /* different texts kept */

static const char *const message_names[] = {"Authenticate", "TokenUpdate",        "CheckOut",
                                            "Idle",         "Acknowledged",       "Error",
                                            "NotNow",       "CommandFormatError", NULL};
#define MESSAGES (COUNT(message_names) - 1)

struct series {
    double *times; /* seconds */
    size_t count, room;
};

struct statistics {
    struct series series[MESSAGES];
    size_t statuses[600];
    json_t *errors;
};

static int statistics_free(struct statistics *statistics)
{
    json_decref(statistics->errors);
    return 0;
}

struct statistics *statistics_new(void *owner)
{
    struct statistics *statistics = mem_new(owner, struct statistics);
    statistics->errors = json_object();
    mem_destructor(statistics, statistics_free);
    return statistics;
}

static void series_add(void *owner, struct series *series, double seconds)
{
    if (series->count == series->room) {
        series->room = series->room ? series->room * 2 : 256;
        series->times = mem_grow(owner, series->times, series->room);
    }
    series->times[series->count++] = seconds;
}

void statistics_add(struct statistics *statistics, const char *message, int status, double seconds)
{
    int index = name_find(message_names, message);
    if (status >= 0 && status < (int)COUNT(statistics->statuses))
        statistics->statuses[status]++;
    if (index >= 0 && status > 0)
        series_add(statistics, &statistics->series[index], seconds);
}

static void error_count(struct statistics *statistics, const char *text, json_int_t more)
{
    json_int_t before = json_integer_value(json_object_get(statistics->errors, text));
    if (before == 0 && json_object_size(statistics->errors) >= ERRORS_MAX)
        text = "others";
    json_object_set_new(statistics->errors, text, json_integer(before + more));
}

void statistics_error(struct statistics *statistics, const char *text)
{
    error_count(statistics, text, 1);
}

void statistics_merge(struct statistics *into, const struct statistics *from)
{
    const char *text;
    json_t *count;
    for (size_t i = 0; i < MESSAGES; i++)
        for (size_t j = 0; j < from->series[i].count; j++)
            series_add(into, &into->series[i], from->series[i].times[j]);
    for (size_t i = 0; i < COUNT(from->statuses); i++)
        into->statuses[i] += from->statuses[i];
    json_object_foreach(from->errors, text, count)
    {
        error_count(into, text, json_integer_value(count));
    }
}

static int time_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const struct series *series, size_t percent)
{
    return series->times[(series->count - 1) * percent / 100] * 1000;
}

static json_t *series_show(struct series *series)
{
    qsort(series->times, series->count, sizeof(double), time_order);
    return json_pack("{s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)series->count, "median",
                     percentile(series, 50), "p95", percentile(series, 95), "p99",
                     percentile(series, 99), "max", percentile(series, 100));
}

void statistics_show(struct statistics *statistics, double seconds, json_t *result)
{
    json_t *latency = json_object(), *statuses = json_object();
    struct series all = {0};
    for (size_t i = 0; i < MESSAGES; i++) {
        struct series *one = &statistics->series[i];
        for (size_t j = 0; j < one->count; j++)
            series_add(statistics, &all, one->times[j]);
        if (one->count > 0)
            json_object_set_new(latency, message_names[i], series_show(one));
    }
    if (all.count > 0)
        json_object_set_new(latency, "all", series_show(&all));
    for (size_t i = 0; i < COUNT(statistics->statuses); i++) {
        char number[24];
        (void)snprintf(number, sizeof(number), "%zu", i);
        if (statistics->statuses[i] > 0)
            json_object_set_new(statuses, number,
                                json_integer((json_int_t)statistics->statuses[i]));
    }
    json_object_set_new(result, "requests", json_integer((json_int_t)all.count));
    json_object_set_new(result, "seconds", json_real(seconds));
    json_object_set_new(result, "per_second",
                        json_real(seconds > 0 ? (double)all.count / seconds : 0));
    json_object_set_new(result, "statuses", statuses); /* "0": no answer came */
    json_object_set(result, "errors", statistics->errors);
    json_object_set_new(result, "latency_ms", latency);
}
