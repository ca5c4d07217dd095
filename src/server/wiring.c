/* SPDX-License-Identifier: Apache-2.0 */
#include "server/wiring.h"

#include "api/resources.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ca/ca.h"
#include "channel/channel.h"
#include "model/device.h"
#include "server/health.h"

#define TABLES_MAX 64

#define HOUR 3600
#define DAY (24 * HOUR)

const struct routes *wiring_tables(void *owner, size_t *count)
{
    struct routes *tables = mem_array(owner, struct routes, TABLES_MAX);
    size_t used = 0;
    tables[used++] = health_routes;
    tables[used++] = ca_routes;
    for (size_t i = 0; api_tables[i]; i++)
        tables[used++] = *api_tables[i];
    for (size_t i = 0; channels[i]; i++)
        tables[used++] = *channels[i]->routes;
    *count = used;
    return tables;
}

bool wiring_open(void *owner, struct house *house, struct err *err)
{
    const struct options *o = house->options;
    house->settings = (struct fleet_settings){
        .front_url = o->front_url,
        .device_url = o->device_url,
        .plain_url = o->plain_url,
        .device_ca_file = o->device_ca_file,
        .attestation_ca_file = o->attestation_ca_file,
        .front_is_own = !*o->front_certificate,
        .link_seconds = o->link_hours * HOUR,
        .challenge_seconds = o->challenge_minutes * 60,
        .certificate_seconds = o->certificate_days * DAY,
        .revocation_parts = o->revocation_parts,
        .delta_seconds = o->delta_hours * HOUR,
        .renew_percent = o->renew_percent,
        .rollover_seconds = o->rollover_days * 24 * HOUR,
        .self_ownership = o->self_ownership > OWNERSHIP_PERSONAL ? -1 : o->self_ownership,
        .session_seconds = o->session_hours * HOUR,
        .signed_messages = o->signed_messages,
        .declared_profiles = o->declared_profiles,
        .network_users = o->network_users,
        .legacy_algorithms = o->legacy_algorithms,
        .confirmation_seconds = o->confirmation_days * DAY,
        .evidence_seconds = o->evidence_days * DAY,
        .integrity_seconds = o->integrity_hours * HOUR,
        .retention = {.event_seconds = o->event_days * DAY,
                      .command_seconds = o->command_days * DAY,
                      .attempt_seconds = o->attempt_days * DAY,
                      .token_seconds = o->token_days * DAY,
                      .position_seconds = o->position_days * DAY},
    };
    house->shared = fleet_shared_make(owner, &house->settings);
    fleet_set_rooms(house->shared, channels_unsupported, channels_nearest);
    CLEANUP(mem_free_at) void *temporary = mem_text(NULL, "");
    struct fleet *fleet;
    return fleet_open(temporary, house->database, house->keyd, house->shared, &fleet, err) &&
           fleet_first_start(fleet, o->organization, clock_now(), err);
}

bool wiring_jobs_start(void *owner, struct house *house, struct err *err)
{
    const struct options *o = house->options;
    CLEANUP(mem_free_at) void *temporary = mem_text(NULL, "");
    struct fleet *fleet;
    house->channels = (struct channel_settings){
        .apns_url = o->apns_url,
        .apns_ca_file = *o->apns_ca_file ? o->apns_ca_file : NULL,
        .service_url = o->service_url,
        .service_ca_file = *o->service_ca_file ? o->service_ca_file : NULL,
        .pushes_per_second = o->pushes_per_second,
        .silent_seconds = o->silent_hours * HOUR,
    };
    house->jobs_settings =
        (struct jobs_settings){house->database, house->keyd, house->shared, &house->channels};
    if (!fleet_open(temporary, house->database, house->keyd, house->shared, &fleet, err) ||
        !fleet_jobs_release(fleet, err))
        return false;
    return jobs_start(owner, &house->jobs_settings, &house->jobs, err);
}

void wiring_jobs_stop(struct house *house)
{
    fleet_job_stop(house->shared);
    jobs_stop(house->jobs);
}

bool wiring_worker_start(void *context, void **services, struct err *err)
{
    const struct house *house = context;
    struct fleet *fleet;
    if (!fleet_open(NULL, house->database, house->keyd, house->shared, &fleet, err))
        return false;
    *services = fleet;
    return true;
}

void wiring_worker_stop(void *context, void *services)
{
    (void)context;
    mem_free(services);
}

void wiring_refused(void *context, enum http_urgency urgency)
{
    static const enum fleet_shed sheds[HTTP_URGENCIES] = {[HTTP_ORDINARY] = SHED_ORDINARY,
                                                          [HTTP_PATIENT] = SHED_PATIENT,
                                                          [HTTP_URGENT] = SHED_URGENT};
    const struct house *house = context;
    fleet_shed_note(house->shared, sheds[urgency]);
}
