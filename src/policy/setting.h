/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: what an administrator can ask of a device, in words that no protocol uses.  Rooms
 * translate (channel/<room>/settings.c); nothing here knows how.  Pure: no I/O, no database.
 */
#pragma once

#include "base/field.h"
#include "model/platform.h"

enum setting_id {
#define SETTING(id, ...) SETTING_##id,
#include "policy/settings.def"
#undef SETTING
    SETTING_COUNT,
};

enum setting_type {
    SETTING_BOOLEAN,
    SETTING_INTEGER,
    SETTING_ENUM,
    SETTING_VERSION, /* of an operating system: see version_number() */
    SETTING_TIME,    /* of the device's own clock, wherever it is: seconds since 1970 there */
};

/* When two policies meet on one device: which value is stricter. */
enum setting_rule {
    STRICTER_HIGHER,   /* integers */
    STRICTER_LOWER,    /* integers */
    STRICTER_TRUE,     /* booleans */
    STRICTER_FALSE,    /* booleans */
    STRICTER_RANK,     /* enums: later in `choices` is stricter */
    STRICTER_CONFLICT, /* not comparable */
};

struct setting {
    const char *name; /* stable: "password.min_length", in the API and the database */
    const char *area; /* "password" */
    const char *title;
    const char *help;
    const char *unit; /* "characters", "minutes", ...; NULL */
    enum setting_type type;
    enum setting_rule rule;
    int64_t lowest, highest; /* integers, inclusive */
    int64_t off;             /* integers: a value that means "no limit" (least strict); -1 = none */
    const char *const *choices; /* enums: NULL-terminated, least strict first */
    unsigned compliance;        /* may stand in a compliance policy: 1 << platform */
};

extern const struct setting settings[SETTING_COUNT];

/* A value of a setting: booleans 0/1, integers, versions and times; enums by index. */
struct setting_value {
    enum setting_id id;
    int64_t value;
};

const struct setting *setting_find(const char *name); /* or NULL */
enum setting_id setting_id_of(const struct setting *setting);
/* Range and type rules; ERR_BAD_INPUT names the rule. */
MUST_CHECK bool setting_check(const struct setting *setting, int64_t value, struct err *err);
/* <0: a is laxer, >0: a is stricter, 0: equal, or not comparable (STRICTER_CONFLICT and a != b:
 * *comparable becomes false). */
int setting_compare(const struct setting *setting, int64_t a, int64_t b, bool *comparable);
/* Does a value found on a device satisfy the value asked for? */
bool setting_satisfied(const struct setting *setting, int64_t asked, int64_t found);
/* Does the value ask for nothing, so that every device satisfies it? */
bool setting_is_laxest(const struct setting *setting, int64_t value);
/* "8", "true", "alphanumeric", "off", "18.2.1", "2026-12-01T20:00:00": for people and explanations;
 * setting_value_parse reads it back. Belongs to owner. */
char *setting_value_text(void *owner, const struct setting *setting, int64_t value);
MUST_CHECK bool setting_value_parse(const struct setting *setting, const char *text, int64_t *out,
                                    struct err *err);
