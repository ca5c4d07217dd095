/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated APNs' memory: known tokens, stored pushes (one for a device, as Apple keeps them),
 * scripted answers and the ledger.  Pure but for the ledger file.
 */
#pragma once

#include "codec/json.h"
#include "sim/apns_check.h"

struct board;

/* strict: tokens that were not registered are BadDeviceToken. ledger NULL: no file. */
MUST_CHECK bool board_make(void *owner, bool strict, const char *ledger, struct board **out,
                           struct err *err);
/* A device exists with this token; the topic is what it was enrolled for (NULL: any). */
MUST_CHECK bool board_register(struct board *board, const char *token, const char *topic,
                               struct err *err);

struct board_script { /* the next `times` pushes to this token (NULL: to any); 0: none any more */
    char *token, *reason;
    int64_t status, timestamp, retry_after, times; /* timestamp: milliseconds, for 410 */
};
void board_script_add(struct board *board, const struct board_script *script);

/* Judge a push, record it and store it for its device until it expires. */
struct push_verdict board_push(struct board *board, const struct push *push, const char *topic,
                               const char *apns_id);
/* Take the stored push of this token, if there is one that has not expired. */
bool board_take(struct board *board, const char *token);
/* Are push certificates accepted? Else the handshake says that they are revoked. */
void board_accept(struct board *board, bool accepts);
bool board_accepts(const struct board *board);

/* What happens now and happened most: connections and pushes under way. */
enum board_gauge { BOARD_CONNECTIONS, BOARD_STREAMS };
void board_gauge_add(struct board *board, enum board_gauge gauge, int64_t number);
json_t *board_count(const struct board *board);  /* how many pushes, by status; gauges. New ref. */
json_t *board_pushes(const struct board *board); /* all pushes so far. New reference */
