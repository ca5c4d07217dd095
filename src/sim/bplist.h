/* SPDX-License-Identifier: Apache-2.0 */
/* Binary property lists (bplist00) of one flat dictionary of ASCII texts: enough to send one. */
#pragma once

#include "codec/plist.h"

MUST_CHECK bool bplist_render(void *owner, const struct plist *dict, struct bytes *out,
                              struct err *err);
