/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told before a device of theirs is managed. */
#pragma once

#include "model/device.h"

/* Paragraphs, ended by NULL; no less than what is asked of such a device later. */
const char *const *consent_words(enum enrolment_mode mode, enum ownership ownership);
