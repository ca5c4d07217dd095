/* SPDX-License-Identifier: Apache-2.0 */
#include "model/service.h"

static const struct field service_rows[] = {
    TEXT_FIELD(struct service, id, FIELD_READ_ONLY),
    BYTES_FIELD(struct service, certificate, FIELD_READ_ONLY),
    BYTES_FIELD(struct service, sealed_key, FIELD_SECRET),
    TIME_FIELD(struct service, created_at, FIELD_READ_ONLY),
    BYTES_FIELD(struct service, sealed_token, FIELD_SECRET),
    TEXT_FIELD(struct service, consumer, FIELD_SECRET),
    TIME_FIELD(struct service, expires_at, FIELD_READ_ONLY),
    TIME_FIELD(struct service, imported_at, FIELD_READ_ONLY),
    INTEGER_FIELD(struct service, warned_days, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, server_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, server_name, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, organization, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, organization_id, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, account, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, cursor, FIELD_SECRET),
    TIME_FIELD(struct service, fetch_started_at, FIELD_READ_ONLY),
    TIME_FIELD(struct service, synced_at, FIELD_READ_ONLY),
    TIME_FIELD(struct service, tried_at, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, problem, FIELD_READ_ONLY),
    TEXT_FIELD(struct service, remedy, FIELD_READ_ONLY),
};
const struct fields service_fields = FIELDS(service_rows);

#define TEXT_SETTING(member, longest, text)                                                        \
    TEXT_FIELD(struct service_profile, member, 0, .highest = (longest), .help = (text))
#define SWITCH(member, text) BOOLEAN_FIELD(struct service_profile, member, 0, .help = (text))

static const struct field profile_rows[] = {
    TEXT_FIELD(struct service_profile, id, FIELD_READ_ONLY, .help = "Identifier"),
    TEXT_FIELD(struct service_profile, name, FIELD_READ_ONLY, .help = "Its name"),
    SWITCH(is_automatic, "Devices that come without a wish get it; one profile at most"),
    SWITCH(is_mandatory, "The person cannot pass over management"),
    SWITCH(is_removable, "The person can remove management later"),
    SWITCH(allows_pairing, "The device may be connected with any computer"),
    SWITCH(awaits_configuration, "The assistant goes on when what is required was applied"),
    RAW_FIELD(struct service_profile, skip, FIELD_LIST, .highest = 4000,
              .help = "Steps of the assistant to leave out, as Apple calls them: a list"),
    TEXT_SETTING(minimum_os, 20, "A device with an older system updates before it enrols"),
    TEXT_SETTING(department, 100, "Who is responsible: shown to the person"),
    TEXT_SETTING(support_phone, 50, "Whom to call: shown to the person"),
    TEXT_SETTING(support_email, 200, "Whom to write to"),
    TEXT_SETTING(language, 10, "Language of the assistant of a TV or Mac, as ISO 639"),
    TEXT_SETTING(region, 10, "Its region, as ISO 3166"),
    TIME_FIELD(struct service_profile, updated_at, FIELD_READ_ONLY, .help = "Last change"),
    INTEGER_FIELD(struct service_profile, revision, FIELD_READ_ONLY, .help = "Grows with changes"),
    INTEGER_FIELD(struct service_profile, defined_revision, FIELD_READ_ONLY,
                  .help = "The revision that the service knows; 0: none"),
    TEXT_FIELD(struct service_profile, uuid, FIELD_READ_ONLY, .help = "The service's name for it"),
    TEXT_FIELD(struct service_profile, problem, FIELD_READ_ONLY,
               .help = "Why the service does not take it"),
    INTEGER_FIELD(struct service_profile, device_count, FIELD_READ_ONLY,
                  .help = "How many devices should have it"),
};
const struct fields service_profile_fields = FIELDS(profile_rows);

#define TOLD(member, text)                                                                         \
    TEXT_FIELD(struct service_device, member, FIELD_READ_ONLY, .help = (text))
#define AT(member, text) TIME_FIELD(struct service_device, member, FIELD_READ_ONLY, .help = (text))

static const struct field device_rows[] = {
    TOLD(serial, "Serial number"),
    TOLD(model, "Model"),
    TOLD(description, "What it is"),
    TOLD(color, "Its colour"),
    TOLD(asset_tag, "Asset tag"),
    TOLD(family, "iPhone, iPad, Mac, ..."),
    TOLD(os, "Its system"),
    AT(assigned_at, "When it was assigned to this server"),
    TOLD(assigned_by, "By whom"),
    TOLD(profile_status, "empty, assigned, pushed (the device has it) or removed"),
    TOLD(profile_uuid, "The profile that the service has for it"),
    AT(profile_assigned_at, "Since when"),
    AT(profile_pushed_at, "When the device took it"),
    TOLD(profile_id, "The profile that it should have"),
    TOLD(profile, "Its name"),
    TEXT_FIELD(struct service_device, given_uuid, FIELD_SECRET),
    TOLD(problem, "Why the profile was not assigned"),
    AT(tried_at, "When that was tried last"),
    AT(added_at, "When it was first seen"),
    AT(seen_at, "When the service last told of it"),
    AT(removed_at, "When it was taken away from this server"),
    TOLD(device_id, "The device, once it has enrolled"),
};
const struct fields service_device_fields = FIELDS(device_rows);
