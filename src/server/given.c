/* SPDX-License-Identifier: Apache-2.0 */
#include "server/given.h"

#include "base/config.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/server_identity.h"

#define FILE_LARGEST (256 * 1024) /* bytes */

static const char *const door_names[] = {[EDGE_FRONT] = "front", [EDGE_DEVICE] = "device"};

/* "https://name:port", "https://[::1]:port/". */
static char *host_of(void *owner, const char *url)
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    if (*at == '[')
        return mem_text_part(owner, at + 1, strcspn(at + 1, "]"));
    return mem_text_part(owner, at, strcspn(at, ":/"));
}

size_t given_list(void *owner, const struct options *options, struct given out[GIVEN_MAX])
{
    const struct {
        enum edge_kind kind;
        const char *url, *certificates[2], *keys[2];
    } rows[] = {{EDGE_FRONT,
                 options->front_url,
                 {options->front_certificate, options->front_certificate_2},
                 {options->front_key, options->front_key_2}},
                {EDGE_DEVICE,
                 options->device_url,
                 {options->device_certificate, options->device_certificate_2},
                 {options->device_key, options->device_key_2}}};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < 2; k++)
            if (*rows[i].certificates[k])
                out[count++] = (struct given){.kind = rows[i].kind,
                                              .index = k,
                                              .certificate = rows[i].certificates[k],
                                              .key = rows[i].keys[k],
                                              .host = host_of(owner, rows[i].url)};
    return count;
}

bool given_read(void *owner, const struct given *given, int64_t now, struct bytes *chain,
                struct bytes *key, int64_t *not_after, struct err *err)
{
    struct server_identity identity;
    struct bytes chain_read = NO_BYTES, key_read = NO_BYTES;
    bool fine = file_read(owner, given->certificate, FILE_LARGEST, &chain_read, err) &&
                file_read(owner, given->key, FILE_LARGEST, &key_read, err) &&
                server_identity_check(chain_read, key_read, given->host, now, &identity, err);
    if (!fine) {
        bytes_wipe((void *)(uintptr_t)key_read.data, key_read.size);
        return err_context(err, "[%s] %s", door_names[given->kind], given->certificate);
    }
    *chain = chain_read;
    *key = key_read;
    *not_after = identity.not_after;
    return true;
}

bool given_check(const struct options *options, int64_t now, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct given list[GIVEN_MAX];
    size_t count = given_list(scratch, options, list);
    for (size_t i = 0; i < count; i++) {
        struct bytes chain, key;
        int64_t not_after;
        if (!given_read(scratch, &list[i], now, &chain, &key, &not_after, err))
            return false;
        bytes_wipe((void *)(uintptr_t)key.data, key.size);
    }
    return true;
}

char *given_file(void *owner, const struct given *given, const char *suffix)
{
    return mem_format(owner, "%s-%zu.%s", door_names[given->kind], given->index + 1, suffix);
}
