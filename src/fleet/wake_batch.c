/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/wake_batch.h"

#include <string.h>

#include "store/store.h"

void batch_add(struct batch *batch, const struct value *values)
{
    batch->values = mem_grow(batch->owner, batch->values, (batch->count + 1) * batch->width);
    memcpy(batch->values + batch->count++ * batch->width, values, batch->width * sizeof(*values));
}

void batch_add_done(struct batch *batch, const struct wake *wake)
{
    const struct value values[] = {TEXT("wake"), TEXT(wake->enrolment_id), INTEGER(wake->due_at)};
    batch_add(batch, values);
}

bool batch_run(struct db *tx, const struct statement *statement, const struct batch *batch,
               struct err *err)
{
    return batch->count == 0 ||
           db_run_many(tx, statement, batch->values, batch->width, batch->count, err);
}
