/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status reports: what a device tells of its declarations and of itself, in neutral words.  One
 * table says what is asked for and what it means; what it does not name is ignored on purpose.
 * Pure.  Facts: apple/device-management, declarative/protocol/statusreport.yaml.
 */
#pragma once

#include "fleet/declared.h"
#include "model/fact.h"

#define STATUS_SIZE_MAX (1024 * 1024) /* bytes of JSON */

#define APPLE_STATUS_SERIAL "device.identifier.serial-number"
extern const char *const apple_status_items[]; /* that we have a use for; NULL-terminated */

/* Parsed whole or refused. Everything belongs to owner. A value of a type that its row does not
 * expect counts as missing: unknown, never false. */
MUST_CHECK bool apple_status_parse(void *owner, struct bytes in, int64_t now,
                                   struct declared_report *out, struct err *err);
