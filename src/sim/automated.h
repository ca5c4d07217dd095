/* SPDX-License-Identifier: Apache-2.0 */
/* A phone out of its box that asks the enrolment service where to go. */
#pragma once

#include "sim/enrol.h"

struct automated_options {
    const char *service;   /* URL of the simulated enrolment service */
    const char *authority; /* directory of its authority: certifies this phone */
};
/* Asks the service, proves itself with a certificate of the device authority, updates when it is
 * told to, and enrols. report gets "activation" and "automated" beside what enrol.h says. */
MUST_CHECK bool enrol_by_service(struct phone *phone, const struct automated_options *automated,
                                 const struct enrol_options *options, json_t *report,
                                 struct err *err);
