/* SPDX-License-Identifier: Apache-2.0 */
/* What one run of muster carries around. */
#pragma once

#include "cli/context.h"
#include "cli/words.h"
#include "codec/json.h"
#include "connect/http.h"

enum exit_code { /* stable: scripts rely on them */
                 EXIT_DONE,
                 EXIT_ERROR,
                 EXIT_USAGE,
                 EXIT_NOT_FOUND,
                 EXIT_DENIED,
                 EXIT_CONFLICT,    /* or a precondition */
                 EXIT_PARTIAL = 7, /* some of several failed; 6 is free */
                 EXIT_TIMEOUT,
};

#define OUTPUT_SIZE_MAX ((size_t)64 << 20)

struct cli {
    void *owner;
    const struct words *words;
    char *contexts_path;
    struct contexts contexts;
    struct context context; /* the server to speak with; NULL texts before a login */
    struct http_client *client;
    bool is_interactive; /* a person can be asked */
    bool has_colour;
    bool is_late;        /* the last request took too long */
    bool is_usage;       /* the failure is of what was typed */
    bool is_token_given; /* by MUSTER_TOKEN */
    int64_t now;
    struct buffer out; /* what goes to standard output at the end */
};

/* "muster: <text>" and the remedy, to standard error; returns the exit code that fits. */
int cli_fail(const struct cli *cli, const struct err *err);
/* The same for something typed wrongly. */
int cli_usage(const struct cli *cli, const struct err *err);
/* A line to standard error. */
void cli_say(const char *format, ...) PRINTF(1, 2);
