/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of API routes: who is this person, and may they. */
#pragma once

#include "fleet/fleet.h"
#include "http/http.h"

/* "Authorization: Bearer <secret>" of a session or API token; then the route's permission. */
bool need_account(struct request *request, struct reply *reply, struct err *err);
/* Who asks: after need_account the account, else the public with the address. */
struct actor api_actor(const struct request *request);
struct fleet *api_fleet(const struct request *request);
