/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/refusal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "fleet/audit.h"
#include "fleet/door.h"
#include "fleet/list.h"
#include "store/store.h"

#define HOUR 3600
#define OTHERS "others" /* peer of what is refused to strangers behind the limit */

void refusal_peer(const char *address, char out[REFUSAL_PEER_SIZE])
{
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN];
    if (address && inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)) {
        memset(six.s6_addr + 8, 0, 8);
        if (inet_ntop(AF_INET6, &six, text, sizeof(text))) {
            (void)snprintf(out, REFUSAL_PEER_SIZE, "%s/64", text);
            return;
        }
    }
    (void)snprintf(out, REFUSAL_PEER_SIZE, "%s", address && *address ? address : "unknown");
}

/* One more in the row that is there; *count is 0 when there is none. */
static bool row_count(struct db *tx, const struct refusal_wish *wish, int64_t *count,
                      struct err *err)
{
    return store_number(tx,
                        ASK(REFUSAL_COUNT, INTEGER(wish->now - wish->now % HOUR), TEXT(wish->kind),
                            TEXT(wish->peer), TEXT(wish->subject), INTEGER(wish->now),
                            TEXT(wish->detail)),
                        "count", count, err);
}

/* Two may make it at once: then the second counts. */
static bool row_make(struct db *tx, const struct refusal_wish *wish, int64_t *count,
                     struct err *err)
{
    CLEANUP(mem_free_at) char *id = id_make(NULL);
    return store_number(tx,
                        ASK(REFUSAL_INSERT, TEXT(id), INTEGER(wish->now - wish->now % HOUR),
                            TEXT(wish->kind), TEXT(wish->peer), TEXT(wish->subject),
                            INTEGER(wish->now), TEXT(wish->detail)),
                        "count", count, err);
}

static bool is_crowded(struct db *tx, const struct refusal_wish *wish, bool *crowded,
                       struct err *err)
{
    int64_t rows = 0;
    if (!store_number(tx,
                      ASK(REFUSAL_ROWS, INTEGER(wish->now - wish->now % HOUR), TEXT(wish->kind)),
                      "count", &rows, err))
        return false;
    *crowded = rows >= REFUSAL_PEERS;
    return true;
}

bool refusal_add(struct db *tx, const struct refusal_wish *wish, struct err *err)
{
    struct refusal_wish row = *wish;
    int64_t count = 0;
    bool crowded = false;
    row.subject = wish->subject ? wish->subject : "";
    if (!row_count(tx, &row, &count, err))
        return false;
    if (count == 0) {
        if (!wish->device_id && !is_crowded(tx, &row, &crowded, err))
            return false;
        if (crowded) {
            row.peer = OTHERS;
            row.subject = "";
        }
        if (!row_make(tx, &row, &count, err))
            return false;
    }
    return count > REFUSAL_EVENTS ||
           event_add(tx, wish->kind, wish->device_id, wish->detail, wish->now, err);
}

bool fleet_refusal_list(struct fleet *fleet, const struct actor *actor, void *owner,
                        const struct page *page, struct list *out, struct err *err)
{
    struct listing listing = {
        .fields = refusal_fields, .item_size = sizeof(struct refusal), .permission = "audit.read"};
    return list_read(fleet, actor, owner,
                     ASK(REFUSAL_LIST, TEXT(page->cursor), INTEGER(page->limit + 1)), page,
                     &listing, out, err);
}
