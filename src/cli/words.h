/* SPDX-License-Identifier: Apache-2.0 */
/* What can be typed: options, commands, and a command line read by these tables.  Pure. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum option_id {
    OPTION_OUTPUT, /* from here: of every command */
    OPTION_SERVER,
    OPTION_CA_FILE,
    OPTION_TIMEOUT,
    OPTION_YES,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_REASON, /* from here: of the commands that name them */
    OPTION_QUERY,
    OPTION_COMPLIANCE,
    OPTION_LEFT,
    OPTION_SHUT_OUT,
    OPTION_REFUSED,
    OPTION_LIMIT,
    OPTION_CURSOR,
    OPTION_ALL,
    OPTION_DEVICE,
    OPTION_NAME,
    OPTION_KIND,
    OPTION_DESCRIPTION,
    OPTION_SET,
    OPTION_UNSET,
    OPTION_FILE,
    OPTION_SINCE,
    OPTION_DRY_RUN,
    OPTION_BAND,
    OPTION_MESSAGE,
    OPTION_PHONE,
    OPTION_FOOTNOTE,
    OPTION_PIN,
    OPTION_OWNERSHIP,
    OPTION_EXPIRES,
    OPTION_EMAIL,
    OPTION_ROLE,
    OPTION_CODE,
    OPTION_SUBJECT,
    OPTION_SAN,
    OPTION_APPROVE,
    OPTION_REPLACE,
    OPTION_PROFILE,
    OPTION_USER,
    OPTION_FULL_NAME,
    OPTION_MAIL,
    OPTION_APPLE_ACCOUNT,
    OPTION_PASSWORD_STDIN,
    OPTION_STATE,
    OPTION_PURPOSE,
    OPTION_ENDS_WITHIN,
    OPTION_COUNT,
};
#define OPTION_FIRST_OWN OPTION_REASON
#define OPTION(id) (UINT64_C(1) << OPTION_##id)

struct option_row {
    const char *name;           /* without "--" */
    char letter;                /* '\0': none */
    const char *value;          /* "FILE" in the help; NULL: a switch */
    const char *const *choices; /* NULL: anything */
    bool repeats;
    const char *help;
};
extern const struct option_row option_rows[OPTION_COUNT];

struct cli;

struct body_part { /* of a request: from an option, or fixed */
    const char *name;
    enum option_id option; /* when `fixed` is NULL */
    const char *fixed;     /* "{}": the first hole; "{2}": the second */
    enum {
        PART_TEXT,
        PART_INTEGER,
        PART_EXPIRY,
        PART_EXPIRY_OR_NEVER, /* absent for "never" */
        PART_NEVER,           /* true for "never", else absent */
        PART_TRUE,
        PART_FILE
    } type;
};

enum column_flags {
    COLUMN_WIDE = 1 << 0,        /* only with -o wide: others fit 120 columns */
    COLUMN_FINGERPRINT = 1 << 1, /* a SHA-256 */
    COLUMN_NEVER = 1 << 2,       /* of a plain answer: nothing means never */
};

struct column { /* of a table */
    const char *title;
    const char *name; /* of the member */
    unsigned flags;
};

enum command_flags {
    COMMAND_LIST = 1 << 0,      /* answers {"items", "next"} */
    COMMAND_SILENT = 1 << 1,    /* has no answer to show */
    COMMAND_ASKS = 1 << 2,      /* asks before it acts */
    COMMAND_ASKS_NAME = 1 << 3, /* and wants the name typed */
    COMMAND_DEVICE = 1 << 5,    /* the first name is a device: found first, then named by its id */
    COMMAND_PLAIN = 1 << 4,     /* a table is the first column's value alone, for pipes */
};

#define COMMAND_PARTS_MAX 6
#define COMMAND_COLUMNS_MAX 12

struct command_row {
    const char *words;  /* "device wipe" */
    const char *holes;  /* "DEVICE [SETTING]", "DEVICE..."; NULL: none */
    const char *help;   /* one line */
    uint64_t options;   /* OPTION(...) of its own */
    uint64_t needs;     /* of these, at least one */
    const char *method; /* NULL with `run` */
    const char *path;   /* below /api/v1; {} is the first hole */
    struct body_part body[COMMAND_PARTS_MAX];
    struct column columns[COMMAND_COLUMNS_MAX]; /* none: one line per member */
    unsigned flags;
    const char *consequence;     /* what COMMAND_ASKS says; %s is the name */
    const char *done;            /* what a silent command says when it worked; %s is the name */
    int (*run)(struct cli *cli); /* instead of the above */
};
/* In the order of the help; NULL behind the last one. */
const struct command_row *command_row_at(size_t number);

#define HOLES_MAX 256 /* names on one command line */

struct words {                         /* a command line that was understood */
    const struct command_row *command; /* NULL: help is all that can be given */
    const char *topic;                 /* of the help: "device", "device wipe", "" */
    bool asks_help;                    /* false without a command: it was only begun */
    const char **holes;
    size_t hole_count;
    const char **given[OPTION_COUNT]; /* values; a switch has one "" */
    size_t given_count[OPTION_COUNT];
};

/* Everything belongs to owner. ERR_BAD_INPUT: wrong usage, with what would be right. */
MUST_CHECK bool words_parse(void *owner, size_t count, const char *const *arguments,
                            struct words *out, struct err *err);
/* The last value given, or NULL. */
const char *words_option(const struct words *words, enum option_id option);
bool words_has(const struct words *words, enum option_id option);
/* "device" and "device wipe" are the beginning of "device wipe"; "dev" is not. */
bool words_begin(const char *words, const char *beginning);
/* "90m", "12h", "7d", "4w": seconds, at most ten years. ERR_BAD_INPUT. */
MUST_CHECK bool duration_parse(const char *text, int64_t *out, struct err *err);
