/* SPDX-License-Identifier: Apache-2.0 */
/* A key process for a test: its own directory, its own socketpair, stopped at the end. */
#pragma once

#include <sys/types.h>

#include "keyd/keyd.h"
#include "pki/keyd.h"
#include "tests/test.h"

struct process {
    char *directory;
    const char *organization;
    pid_t pid;
    struct keyd *keyd;
    int fd; /* the keyd handle's own end: borrowed */
    struct authority authority;
};

/* Start on a fresh temporary directory. */
struct process *process_start(void *owner);
struct process *process_start_for(void *owner, const char *organization);
/* Stop (SIGKILL or by closing the connection) and start again on the same directory. */
void process_restart(struct process *process, bool kill_it);
/* The two halves of that: nothing runs between them. */
void process_stop(struct process *process);
void process_resume(struct process *process);
/* A word about its directory, while nothing runs, in a process of its own: it locks and protects
 * whoever runs it. The number that it tells; minus its kind of error. after_ms >= 0: killed then, 0
 * is told. */
typedef bool process_word(const struct keyd_options *options, int64_t *number, struct err *err);
int64_t process_run(const struct process *process, process_word *word, int after_ms);
process_word process_prepare, process_switch; /* to another authority: keyd/rollover.h */
/* Wait for the process to end; its exit code, or -signal. */
int process_wait(struct process *process);
/* cmocka group set-up and tear-down: *state is a struct process. */
int process_set_up(void **state);
int process_tear_down(void **state);
/* The same set-up with the keys of the first program that came here, in the folder that MUSTER_KEYS
 * names: making an authority's keys takes longer than most tests. Without it: keys of its own. */
int process_set_up_alike(void **state);
/* Fork a key process; *fd is the raw end to it. For tests that speak frames. */
pid_t process_fork(const struct keyd_options *options, int *fd);
/* A process that must refuse to start: its exit code. */
int process_refused(const struct keyd_options *options);
