/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of device routes: who is this device. */
#pragma once

#include "fleet/enrol.h"
#include "http/http.h"

/* What need_device leaves in request->who. */
struct device_caller {
    struct identity identity;
    struct actor actor;
};
/* The client certificate is one of ours, within its time. ERR_BAD_INPUT without or with a foreign
 * certificate, ERR_FORBIDDEN expired, or refused by the edge. The enrolment's state is left to the
 * room: only it knows how to tell a device to go. */
bool need_device(struct request *request, struct reply *reply, struct err *err);
/* The same from memory alone, for a glance: false where that does not suffice, or it is refused. */
bool device_known(struct request *request);
struct device_caller *device_of(const struct request *request);
struct fleet *fleet_of(const struct request *request);
