/* SPDX-License-Identifier: Apache-2.0 */
/* DeviceInformation: which query is answered from which part of the model. */
#pragma once

#include "sim/phone.h"

/* Answer one query; one that the device does not know or may not answer leaves no key. */
void information_answer(const struct phone *phone, const char *query, struct plist *responses);
