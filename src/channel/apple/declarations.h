/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations: what a device fetches by itself and holds itself to.  Tokens are made out of the
 * content, so equal effective sets give equal declarations.  Pure.  Facts: apple/device-management,
 * declarative/.
 */
#pragma once

#include "codec/json.h"
#include "fleet/desired.h"

#define APPLE_DECLARED "declaration."           /* of items that are declared */
#define APPLE_DECLARED_IDENTIFIER "org.muster." /* before the item; never changes */
#define APPLE_PASSCODE_DECLARED "declaration.passcode"
#define APPLE_UPDATE_DECLARED "declaration.update"
#define APPLE_RESTRICTIONS_DECLARED "declaration.legacy.restrictions"
#define APPLE_PASSCODE_TYPE "com.apple.configuration.passcode.settings"
#define APPLE_LEGACY_TYPE "com.apple.configuration.legacy" /* a profile behind a URL */
#define APPLE_UPDATE_TYPE "com.apple.configuration.softwareupdate.enforcement.specific"

struct apple_declaration {
    enum declaration_kind kind;
    const char *identifier; /* at most 64 bytes, as ServerToken (schema) */
    const char *token;
    const char *item; /* of the effective set; NULL: none */
    const char *text; /* the declaration as the device fetches it */
};
struct apple_declarations {
    const struct apple_declaration *list;
    size_t count;
    const char *token; /* of them all */
};

struct apple_wish { /* a configuration to be declared */
    const char *item, *type;
    json_t *payload;
};
struct apple_declaration apple_declaration_make(void *owner, const struct apple_wish *wish);
/* Those that each device has, and these configurations. Everything belongs to owner. */
void apple_declarations_make(void *owner, const struct effective *effective,
                             const struct apple_wish *wishes, size_t count,
                             struct apple_declarations *out);
/* Those of a device that shall have none. */
void apple_declarations_none(void *owner, struct apple_declarations *out);

/* The answers to the endpoints "tokens" and "declaration-items". Belong to owner. */
char *apple_tokens_text(void *owner, const struct apple_declarations *declarations, int64_t at);
char *apple_declaration_items_text(void *owner, const struct apple_declarations *declarations);

/* The item whose declaration this is; NULL: none. Borrows. */
const char *apple_declared_item(const char *identifier);

/* ---- what a device can ---- */
/* What we have a use for of management.client-capabilities: equal abilities give equal texts. NULL:
 * it is none. Belongs to owner. */
char *apple_capabilities_text(void *owner, const json_t *reported);
/* Does the device know this type of declaration, or this status item? */
bool apple_is_able(const struct effective *effective, const char *name);
/* May it be told of declarations at all, as far as its system and its answers say? */
bool apple_may_declare(const struct effective *effective);
