/* SPDX-License-Identifier: Apache-2.0 */
/* Inside fleet only: making a bearer secret and its row. */
#pragma once

#include "fleet/account.h"

struct token_wish {
    struct token token;
    char *secret;
    uint8_t mac[32];
    int64_t created_at;
};
/* Secret and HMAC made; nothing stored yet. */
MUST_CHECK bool token_prepare(struct fleet *fleet, void *owner, const struct token *wish,
                              int64_t now, struct token_wish *out, struct err *err);
MUST_CHECK bool token_insert(struct db *tx, const struct token_wish *wish, struct err *err);
