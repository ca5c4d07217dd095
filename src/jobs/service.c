/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking with services that know devices before they come, and letting devices go on that wait.
 */
#include "fleet/service.h"
#include "base/mem.h"
#include "base/text.h"
#include "fleet/automated.h"
#include "jobs/runner.h"

struct services {
    void **states; /* by index of channels[]; NULL where a room has none */
};

bool job_service_open(void *owner, const struct jobs_settings *options, void **state,
                      struct err *err)
{
    struct services *services = mem_new(owner, struct services);
    size_t count = 0;
    while (channels[count])
        count++;
    services->states = mem_array(services, void *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (channels[i]->service_open &&
            !channels[i]->service_open(services, options->channels, &services->states[i], err))
            return err_context(err, "channel %s", channels[i]->name);
    *state = services;
    return true;
}

/* The subject is the room's name. */
bool job_service(struct job_context *context, const struct job *job, int64_t now, int64_t *again_at,
                 struct err *err)
{
    const struct services *services = context->state;
    for (size_t i = 0; channels[i]; i++)
        if (channels[i]->service_work && text_equal(channels[i]->name, job->subject))
            return channels[i]->service_work(context->fleet, services->states[i], now, again_at,
                                             err);
    return true;
}

bool job_service_warn(struct job_context *context, int64_t now, bool *busy, struct err *err)
{
    (void)busy;
    return fleet_service_warn(context->fleet, now, err);
}

bool job_setup(struct job_context *context, const struct job *job, int64_t now, int64_t *again_at,
               struct err *err)
{
    return fleet_setup_step(context->fleet, job->subject, now, again_at, err);
}
