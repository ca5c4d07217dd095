/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: rows of wakes that one statement settles together. */
#pragma once

#include "fleet/wake.h"

struct statement;
struct value;

struct batch { /* arguments for as many rows of one statement */
    void *owner;
    struct value *values;
    size_t width, count;
};
/* `width` values; texts are not copied. */
void batch_add(struct batch *batch, const struct value *values);
/* The row of work is at its end: a row for job_done. */
void batch_add_done(struct batch *batch, const struct wake *wake);
/* Nothing when it is empty. In a transaction. */
MUST_CHECK bool batch_run(struct db *tx, const struct statement *statement,
                          const struct batch *batch, struct err *err);
