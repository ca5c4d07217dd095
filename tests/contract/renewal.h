/* SPDX-License-Identifier: Apache-2.0 */
/* Phones that renew their identity, step by step. */
#pragma once

#include "fleet/renew.h"
#include "tests/contract/fleet_fixture.h"

#define DAY INT64_C(86400)
#define LIFE (365 * DAY)

/* The job: how many were found. */
size_t renewals_look(struct fixture *f);
/* To the moment that is planned for this phone, and let the job look. */
void renewal_until_due(struct fixture *f, const struct phone *phone);
struct enrolment_start renewal_start(struct fixture *f, const struct phone *phone);
struct command phone_fetch_renewal(struct fixture *f, const struct phone *phone);
/* An administrator asks, the phone fetches. */
struct command phone_ask_renewal(struct fixture *f, const struct phone *phone);
/* The phone with the certificate that its renewal brought. */
struct phone phone_certified_again(struct fixture *f, const struct phone *phone, size_t key);
bool phone_activate_at(struct fixture *f, const struct phone *phone, const char *token);
/* What the room does with everything that is no check-in. */
void phone_speaks(struct fixture *f, const struct phone *phone);
void phone_is_good(struct fixture *f, const struct phone *phone, bool wanted);
struct rows *phone_certificates(struct fixture *f, const struct phone *phone);
