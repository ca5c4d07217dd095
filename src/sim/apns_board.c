/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/apns_board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define DEVICES_MAX 200000
#define PUSHES_KEPT 100000
#define BUCKETS 65536 /* of devices, by the first digits of their tokens */
#define STATUS_MAX 600
#define NOW_SECONDS 1 /* how long "deliver now or never" waits for a device that listens */

struct device {
    char *token, *topic;  /* topic NULL: any */
    int64_t stored_until; /* a push waits; 0: none */
    size_t next;          /* in its bucket, plus one; 0: the last */
};
struct gauge {
    int64_t now, most;
};

struct board {
    bool strict;
    int ledger;
    bool accepts;
    struct gauge gauges[2]; /* by enum board_gauge */
    int64_t statuses[STATUS_MAX];
    size_t buckets[BUCKETS]; /* a device's index plus one; 0: empty */
    struct device *devices;
    size_t device_count, device_room;
    struct board_script *scripts;
    size_t script_count;
    json_t *pushes;
};

static int board_free(struct board *board)
{
    if (board->ledger >= 0)
        (void)close(board->ledger);
    json_decref(board->pushes);
    return 0;
}

bool board_make(void *owner, bool strict, const char *ledger, struct board **out, struct err *err)
{
    CLEANUP(mem_free_at) struct board *board = mem_new(NULL, struct board);
    board->strict = strict;
    board->accepts = true;
    board->pushes = json_array();
    board->ledger = ledger ? open(ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    mem_destructor(board, board_free);
    if (ledger && board->ledger < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", ledger, strerror(errno));
    *out = mem_give(owner, &board);
    return true;
}

/* Tokens are random, their case is not told. */
static size_t bucket_of(const char *token)
{
    char start[5] = "";
    memcpy(start, token, strnlen(token, 4));
    return (size_t)strtoul(start, NULL, 16) % BUCKETS;
}

static struct device *device_find(const struct board *board, const char *token)
{
    for (size_t at = board->buckets[bucket_of(token)]; at; at = board->devices[at - 1].next)
        if (text_equal_nocase(board->devices[at - 1].token, token))
            return &board->devices[at - 1];
    return NULL;
}

static struct device *device_add(struct board *board, const char *token)
{
    if (board->device_count == board->device_room) {
        board->device_room = 2 * board->device_room + 64;
        board->devices = mem_grow(board, board->devices, board->device_room);
    }
    size_t *bucket = &board->buckets[bucket_of(token)];
    struct device *device = &board->devices[board->device_count++];
    *device = (struct device){.token = mem_text(board, token), .next = *bucket};
    *bucket = board->device_count;
    return device;
}

bool board_register(struct board *board, const char *token, const char *topic, struct err *err)
{
    struct device *device = device_find(board, token);
    if (strlen(token) != PUSH_TOKEN_HEX ||
        strspn(token, "0123456789abcdefABCDEF") != PUSH_TOKEN_HEX)
        return err_set(err, ERR_BAD_INPUT, "a token has %d hexadecimal digits", PUSH_TOKEN_HEX);
    if (!device) {
        if (board->device_count == DEVICES_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d devices", DEVICES_MAX);
        device = device_add(board, token);
    }
    if (topic) {
        mem_free(device->topic);
        device->topic = mem_text(board, topic);
    }
    return true;
}

void board_script_add(struct board *board, const struct board_script *script)
{
    if (script->times == 0) {
        board->script_count = 0;
        return;
    }
    board->scripts = mem_grow(board, board->scripts, board->script_count + 1);
    board->scripts[board->script_count++] = (struct board_script){
        .token = script->token ? mem_text(board, script->token) : NULL,
        .reason = mem_text(board, script->reason),
        .status = script->status,
        .timestamp = script->timestamp,
        .retry_after = script->retry_after,
        .times = script->times,
    };
}

static struct board_script *script_find(struct board *board, const char *token)
{
    for (size_t i = 0; i < board->script_count; i++) {
        struct board_script *script = &board->scripts[i];
        if (script->times > 0 && (!script->token || text_equal_nocase(script->token, token)))
            return script;
    }
    return NULL;
}

static void push_record(struct board *board, const struct push *push, const char *token,
                        const char *magic, const char *apns_id, const struct push_verdict *verdict)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    json_t *line = json_pack("{s:I, s:s*, s:s*, s:s*, s:i, s:s*, s:s*, s:s*, s:s*, s:s*}", "at",
                             (json_int_t)clock_now(), "token", token, "magic", magic, "topic",
                             push->topic, "status", verdict->status, "reason", verdict->reason,
                             "apns_id", apns_id, "push_type", push->push_type, "expiration",
                             push->expiration, "priority", push->priority);
    char *text = mem_format(scratch, "%s\n", json_text(scratch, line));
    if (board->ledger >= 0)
        (void)!write(board->ledger, text, strlen(text));
    if (json_array_size(board->pushes) < PUSHES_KEPT)
        json_array_append(board->pushes, line);
    json_decref(line);
}

/* Until when the push is kept; 0: it is over already. Absent: for long. */
static int64_t kept_until(const struct push *push, int64_t now)
{
    int64_t until = INT64_MAX;
    struct err ignored; /* it was checked */
    if (push->expiration &&
        !number_parse(bytes_text(push->expiration), 0, INT64_MAX, &until, &ignored))
        return 0;
    if (until == 0)
        return now + NOW_SECONDS;
    return until > now ? until : 0;
}

/* What the device's side says to a well-formed push. */
static struct push_verdict delivery_judge(struct board *board, const struct push *push,
                                          const char *token, const char *topic)
{
    struct board_script *script = script_find(board, token);
    struct device *device = device_find(board, token);
    struct err ignored; /* a full board forgets the push of one more device */
    if (script) {
        script->times--;
        return (struct push_verdict){.status = (int)script->status,
                                     .reason = script->reason,
                                     .timestamp = script->timestamp,
                                     .retry_after = script->retry_after};
    }
    if (!device && board->strict)
        return (struct push_verdict){.status = 400, .reason = "BadDeviceToken"};
    if (!device && board_register(board, token, NULL, &ignored))
        device = device_find(board, token);
    if (device && device->topic && !text_equal(device->topic, topic))
        return (struct push_verdict){.status = 400, .reason = "DeviceTokenNotForTopic"};
    if (device)
        device->stored_until = kept_until(push, clock_now());
    return (struct push_verdict){.status = 200};
}

struct push_verdict board_push(struct board *board, const struct push *push, const char *topic,
                               const char *apns_id)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const char *token = NULL, *magic = NULL;
    struct push_verdict verdict = push_check(scratch, push, topic, &token, &magic);
    if (verdict.status == 200)
        verdict = delivery_judge(board, push, token, topic);
    if (verdict.status > 0 && verdict.status < STATUS_MAX)
        board->statuses[verdict.status]++;
    push_record(board, push, token, magic, apns_id, &verdict);
    return verdict;
}

bool board_take(struct board *board, const char *token)
{
    struct device *device = device_find(board, token);
    bool stored = device && device->stored_until >= clock_now();
    if (device)
        device->stored_until = 0;
    return stored;
}

json_t *board_pushes(const struct board *board)
{
    return json_deep_copy(board->pushes);
}

void board_accept(struct board *board, bool accepts)
{
    board->accepts = accepts;
}

bool board_accepts(const struct board *board)
{
    return board->accepts;
}

void board_gauge_add(struct board *board, enum board_gauge gauge, int64_t number)
{
    struct gauge *one = &board->gauges[gauge];
    one->now += number;
    if (one->now > one->most)
        one->most = one->now;
}

json_t *board_count(const struct board *board)
{
    json_t *statuses = json_object();
    int64_t total = 0;
    for (int status = 0; status < STATUS_MAX; status++) {
        char name[12];
        if (board->statuses[status] == 0)
            continue;
        total += board->statuses[status];
        (void)snprintf(name, sizeof(name), "%d", status);
        json_object_set_new(statuses, name, json_integer(board->statuses[status]));
    }
    const struct gauge *connections = &board->gauges[BOARD_CONNECTIONS];
    const struct gauge *streams = &board->gauges[BOARD_STREAMS];
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "pushes", (json_int_t)total, "statuses",
                     statuses, "connections", (json_int_t)connections->now, "connections_most",
                     (json_int_t)connections->most, "streams", (json_int_t)streams->now,
                     "streams_most", (json_int_t)streams->most);
}
