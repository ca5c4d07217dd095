/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/apns_board.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define DEVICES_MAX 200000
#define PUSHES_KEPT 100000

struct device {
    char *token, *topic; /* topic NULL: any */
    bool stored;         /* a push waits */
};

struct board {
    bool strict;
    int ledger;
    struct device *devices;
    size_t device_count;
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
    board->pushes = json_array();
    board->ledger = ledger ? open(ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    mem_destructor(board, board_free);
    if (ledger && board->ledger < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", ledger, strerror(errno));
    *out = mem_give(owner, &board);
    return true;
}

static struct device *device_find(const struct board *board, const char *token)
{
    for (size_t i = 0; i < board->device_count; i++)
        if (text_equal_nocase(board->devices[i].token, token))
            return &board->devices[i];
    return NULL;
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
        board->devices = mem_grow(board, board->devices, board->device_count + 1);
        device = &board->devices[board->device_count++];
        *device = (struct device){.token = mem_text(board, token)};
    }
    if (topic) {
        mem_free(device->topic);
        device->topic = mem_text(board, topic);
    }
    return true;
}

void board_script_add(struct board *board, const struct board_script *script)
{
    board->scripts = mem_grow(board, board->scripts, board->script_count + 1);
    board->scripts[board->script_count++] = (struct board_script){
        .token = script->token ? mem_text(board, script->token) : NULL,
        .reason = mem_text(board, script->reason),
        .status = script->status,
        .timestamp = script->timestamp,
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
                        const char *apns_id, const struct push_verdict *verdict)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    json_t *line =
        json_pack("{s:I, s:s*, s:s*, s:i, s:s*, s:s*, s:s*, s:s*, s:s*}", "at",
                  (json_int_t)clock_now(), "token", token, "topic", push->topic, "status",
                  verdict->status, "reason", verdict->reason, "apns_id", apns_id, "push_type",
                  push->push_type, "expiration", push->expiration, "priority", push->priority);
    char *text = mem_format(scratch, "%s\n", json_text(scratch, line));
    if (board->ledger >= 0)
        (void)!write(board->ledger, text, strlen(text));
    if (json_array_size(board->pushes) < PUSHES_KEPT)
        json_array_append(board->pushes, line);
    json_decref(line);
}

/* What the device's side says to a well-formed push. */
static struct push_verdict delivery_judge(struct board *board, const char *token, const char *topic,
                                          int64_t *timestamp_out)
{
    struct board_script *script = script_find(board, token);
    struct device *device = device_find(board, token);
    struct err ignored; /* a full board forgets the push of one more device */
    if (script) {
        script->times--;
        *timestamp_out = script->timestamp;
        return (struct push_verdict){(int)script->status, script->reason};
    }
    if (!device && board->strict)
        return (struct push_verdict){400, "BadDeviceToken"};
    if (!device && board_register(board, token, NULL, &ignored))
        device = device_find(board, token);
    if (device && device->topic && !text_equal(device->topic, topic))
        return (struct push_verdict){400, "DeviceTokenNotForTopic"};
    if (device)
        device->stored = true;
    return (struct push_verdict){200, NULL};
}

struct push_verdict board_push(struct board *board, const struct push *push, const char *topic,
                               const char *apns_id, int64_t *timestamp_out)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    const char *token = NULL, *magic = NULL;
    *timestamp_out = 0;
    struct push_verdict verdict = push_check(scratch, push, topic, &token, &magic);
    if (verdict.status == 200)
        verdict = delivery_judge(board, token, topic, timestamp_out);
    push_record(board, push, token, apns_id, &verdict);
    return verdict;
}

bool board_take(struct board *board, const char *token)
{
    struct device *device = device_find(board, token);
    bool stored = device && device->stored;
    if (stored)
        device->stored = false;
    return stored;
}

json_t *board_pushes(const struct board *board)
{
    return json_deep_copy(board->pushes);
}
