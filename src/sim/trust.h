/* SPDX-License-Identifier: Apache-2.0 */
/* Roots that came with profiles beside the one of the enrolment. */
#pragma once

#include "sim/phone.h"

/* Those of every profile that is installed now. */
void trust_add_installed(const struct phone *phone, struct certificates *out);
