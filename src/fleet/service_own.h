/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: what the files about the enrolment service share. */
#pragma once

#include "fleet/service.h"

struct db;
#define SERVICE_JOB "enrolment_service"
#define SERVICE_JOB_SUBJECT "apple"

MUST_CHECK bool service_find(struct db *db, void *owner, struct service *out, bool *found,
                             struct err *err);
/* Somebody wants something of the service: the job looks. */
MUST_CHECK bool service_hasten(struct db *tx, int64_t now, struct err *err);
