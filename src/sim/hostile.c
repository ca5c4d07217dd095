/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/hostile.h"

#include <stddef.h>

#define HOSTILE_MAX ((size_t)8 << 20) /* bytes */
#define ENTITY_LEVELS 9
#define NESTED_ARRAYS 100000

const char *const HOSTILE_PLISTS[] = {
    "",
    "no plist",
    "<plist version=\"1.0\"><dict><key>UDID</key></dict></plist>",
    "<plist version=\"1.0\"><dict><key>Status</key><string>Idle</string>",
    "bplist00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    NULL,
};

bool hostile_entity_bomb(void *owner, struct bytes *out, struct err *err)
{
    struct buffer text;
    buffer_init(&text, owner, HOSTILE_MAX);
    buffer_text(&text, "<?xml version=\"1.0\"?>\n<!DOCTYPE plist [\n<!ENTITY e0 \"muster\">\n");
    for (int i = 1; i <= ENTITY_LEVELS; i++) {
        buffer_format(&text, "<!ENTITY e%d \"", i);
        for (int j = 0; j < 10; j++)
            buffer_format(&text, "&e%d;", i - 1);
        buffer_text(&text, "\">\n");
    }
    buffer_format(&text,
                  "]>\n<plist version=\"1.0\"><dict><key>UDID</key><string>&e%d;</string>"
                  "</dict></plist>",
                  ENTITY_LEVELS);
    return buffer_done(&text, out, err);
}

bool hostile_nested_arrays(void *owner, struct bytes *out, struct err *err)
{
    struct buffer text;
    buffer_init(&text, owner, HOSTILE_MAX);
    buffer_text(&text, "<?xml version=\"1.0\"?><plist version=\"1.0\">");
    for (int i = 0; i < NESTED_ARRAYS; i++)
        buffer_text(&text, "<array>");
    for (int i = 0; i < NESTED_ARRAYS; i++)
        buffer_text(&text, "</array>");
    buffer_text(&text, "</plist>");
    return buffer_done(&text, out, err);
}
