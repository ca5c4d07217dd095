/* SPDX-License-Identifier: Apache-2.0 */
/* The route tables of the API, one per resource. */
#pragma once

#include "http/http.h"

#define API "/api/v1"

extern const struct routes account_routes;
extern const struct routes audit_routes;
extern const struct routes authority_routes;
extern const struct routes certificate_routes;
extern const struct routes command_routes;
extern const struct routes device_routes;
extern const struct routes event_routes;
extern const struct routes integrity_routes;
extern const struct routes inventory_routes;
extern const struct routes link_routes;
extern const struct routes lost_routes;
extern const struct routes network_routes;
extern const struct routes openapi_routes;
extern const struct routes policy_routes;
extern const struct routes push_routes;
extern const struct routes service_profile_routes;
extern const struct routes service_routes;
extern const struct routes session_routes;
extern const struct routes status_routes;
extern const struct routes terms_routes;
extern const struct routes user_channel_routes;
extern const struct routes user_routes;
extern const struct routes wipe_routes;

/* All of them, for the router and for the OpenAPI document. NULL-terminated. */
extern const struct routes *const api_tables[];
