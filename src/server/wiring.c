/* SPDX-License-Identifier: Apache-2.0 */
#include "server/wiring.h"

#include "base/mem.h"
#include "server/health.h"

const struct routes *wiring_tables(void *owner, size_t *count)
{
    static const struct routes *const areas[] = {&health_routes};
    struct routes *tables = mem_array(owner, struct routes, COUNT(areas));
    for (size_t i = 0; i < COUNT(areas); i++)
        tables[i] = *areas[i];
    *count = COUNT(areas);
    return tables;
}

bool wiring_worker_start(void *context, void **services, struct err *err)
{
    const struct house *house = context;
    CLEANUP(mem_free_at) struct services *made = mem_new(NULL, struct services);
    if (!db_connect(made, house->database, &made->db, err))
        return false;
    made->keyd = house->keyd;
    *services = made;
    made = NULL;
    return true;
}

void wiring_worker_stop(void *context, void *services)
{
    (void)context;
    mem_free(services);
}
