/* SPDX-License-Identifier: Apache-2.0 */
/* Text into XML, for the two writers of codec/. */
#pragma once

#include "base/bytes.h"

/* Escaped so that a parser reads back exactly this text. False when it holds what XML 1.0 cannot
 * carry: control characters, U+FFFE, U+FFFF or bytes that are not UTF-8. */
MUST_CHECK bool xml_escape(struct buffer *out, const char *text, bool in_attribute);
