/* SPDX-License-Identifier: Apache-2.0 */
/* One supervised process: started by fork and exec in its own process group, dies with us. */
#pragma once

#include <sys/types.h>

#include "server/options.h"

#define CHILD_WORDS_MAX 8 /* of a command line, with the NULL at its end */
#define CHILD_FDS_MAX 4

struct child {
    const char *name;
    pid_t pid;          /* 0: not running; also the id of its process group */
    pid_t old_group;    /* of the one before: must be empty before the next start; 0: is */
    int64_t started_at; /* monotonic milliseconds */
    int64_t start_at;   /* not before this */
    unsigned failures;  /* in a row */
};

struct child_plan {
    const char *program;
    const char *words[CHILD_WORDS_MAX]; /* its name first, NULL-terminated */
    int fds[CHILD_FDS_MAX];             /* become 3, 4, ... there */
    size_t fd_count;
    struct user_ids user;
    unsigned extra_group; /* 0: none */
    int parent_death_signal;
    bool binds_low_ports; /* keeps that right when it becomes another user */
    bool (*confine)(const struct options *options, struct err *err); /* last, or NULL */
    const struct options *options;
};

MUST_CHECK bool child_start(struct child *child, const struct child_plan *plan, int64_t now,
                            struct err *err);
/* Its process ended with this status of waitpid: kill what is left of its group, plan the next
 * start. */
void child_ended(struct child *child, int status, int64_t now);
/* Not running, nothing of the one before is left, and its time has come. */
bool child_may_start(struct child *child, int64_t now);
void child_signal(const struct child *child, int signal);       /* the process; if running */
void child_signal_group(const struct child *child, int signal); /* and all that it started */
