/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets at rest: seal, open, and keyed hashes of bearer secrets. */
#include "keyd/answer.h"
#include "pki/keyd.h"

#define ABOUT_MAX 256    /* bytes of an id */
#define MESSAGE_MAX 4096 /* bytes of a bearer secret */

static const struct seal_class {
    const char *label;
    bool is_logged; /* each opening is an act of its own */
} classes[] = {
    [KEYD_CLASS_CONNECTOR] = {"seal/connector", false},
    [KEYD_CLASS_DEVICE] = {"seal/device", false},
    [KEYD_CLASS_COMMAND] = {"seal/command", true},
    [KEYD_CLASS_TLS] = {"seal/tls", false},
};

static const char *const mac_labels[] = {
    [KEYD_MAC_CHALLENGE] = "mac/challenge",
    [KEYD_MAC_LINK] = "mac/link",
    [KEYD_MAC_TOKEN] = "mac/token",
    [KEYD_MAC_SESSION] = "mac/session",
};

struct seal_request {
    const struct seal_class *class;
    const char *about;
    struct bytes content;
};

static bool seal_request_read(struct call *call, struct seal_request *out, struct err *err)
{
    uint8_t class = reader_u8(&call->in);
    out->about = wire_get_text(call->owner, &call->in, ABOUT_MAX);
    out->content = wire_get_bytes(&call->in, SEAL_PLAIN_MAX + ABOUT_MAX);
    if (!call_read(call, err))
        return false;
    if (class == 0 || class >= COUNT(classes))
        return err_set(err, ERR_BAD_INPUT, "no such class of secrets");
    if (!out->about || !*out->about)
        return err_set(err, ERR_BAD_INPUT, "a sealed value is always about something");
    out->class = &classes[class];
    return true;
}

bool answer_seal(struct call *call, struct err *err)
{
    struct seal_request request = {0};
    struct bytes sealed;
    if (!seal_request_read(call, &request, err) ||
        !seal_make(call->owner, call->vault->master, request.class->label, request.about,
                   request.content, &sealed, err))
        return false;
    wire_bytes(call->out, sealed);
    return true;
}

bool answer_open(struct call *call, struct err *err)
{
    struct seal_request request = {0};
    struct bytes plain;
    if (!seal_request_read(call, &request, err) ||
        !seal_open(call->owner, call->vault->master, request.class->label, request.about,
                   request.content, &plain, err))
        return false;
    char *facts = mem_format(call->owner, "about=%s", journal_word(call->owner, request.about));
    if (request.class->is_logged &&
        !journal_add(call->vault->journal, call->now, "open", facts, err))
        return false;
    wire_bytes(call->out, plain);
    return true;
}

bool answer_mac(struct call *call, struct err *err)
{
    uint8_t use = reader_u8(&call->in), key[32], mac[32];
    struct bytes message = wire_get_bytes(&call->in, MESSAGE_MAX);
    if (!call_read(call, err))
        return false;
    if (use == 0 || use >= COUNT(mac_labels))
        return err_set(err, ERR_BAD_INPUT, "no such use of a keyed hash");
    master_derive(call->vault->master, mac_labels[use], key);
    hmac_sha256(key, message, mac);
    bytes_wipe(key, sizeof(key));
    wire_bytes(call->out, BYTES_OF(mac));
    return true;
}
