/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"

const char *const edge_kind_names[] = {
    [EDGE_FRONT] = "front", [EDGE_DEVICE] = "device", [EDGE_PLAIN] = "plain"};

const struct edge_rated edge_rated[EDGE_RATES] = {
    [EDGE_RATE_AUTHORITY] = {"authority", "^/((scep|ocsp)(/|$)|ca/|certsrv/|[.]well-known/est/)"},
    [EDGE_RATE_SESSION] = {"session",
                           "^/(api/v1/(sessions|password)|enrol|apple/account/sign-in)$"},
};

static bool file_check(const char *path, struct err *err)
{
    if (!path || path[0] != '/')
        return err_set(err, ERR_BAD_INPUT, "the edge needs absolute paths, not '%s'",
                       path ? path : "");
    for (const char *c = path; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-+@,~", *c))
            return err_set(err, ERR_BAD_INPUT, "the path '%s' cannot stand in the edge's file",
                           path);
    return true;
}

static bool location_check(const struct edge_location *location, struct err *err)
{
    for (const char *c = location->path; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-{}", *c))
            return err_set(err, ERR_BAD_INPUT, "the route '%s' cannot stand in the edge's file",
                           location->path);
    return true;
}

static bool door_check(const struct edge_door *door, struct err *err)
{
    struct in6_addr binary;
    char address[EDGE_ADDRESS_SIZE];
    const char *list = door->address;
    size_t count = 0;
    for (; edge_address_next(&list, address); count++)
        if (inet_pton(AF_INET, address, &binary) != 1 && inet_pton(AF_INET6, address, &binary) != 1)
            return err_set(err, ERR_BAD_INPUT, "'%s' is not an IP address", address);
    if (count == 0)
        return err_set(err, ERR_BAD_INPUT, "a door needs an address");
    for (size_t i = 0; i < 2; i++) {
        const struct edge_identity *identity = &door->identities[i];
        if (identity->certificate &&
            (!file_check(identity->certificate, err) || !file_check(identity->key, err) ||
             !file_check(identity->combined, err)))
            return false;
    }
    if (door->port < 1 || door->port > 65535)
        return err_set(err, ERR_BAD_INPUT, "%d is not a port", door->port);
    for (size_t i = 0; i < door->location_count; i++)
        if (!location_check(&door->locations[i], err))
            return false;
    return file_check(door->upstream, err);
}

static bool limits_check(const struct edge_limits *limits, struct err *err)
{
    bool fine = true;
    for (size_t i = 0; i < EDGE_KINDS; i++)
        fine = fine && limits->connections[i] > 0;
    for (size_t i = 0; i < EDGE_RATES; i++)
        fine = fine && limits->rates[i].per_second > 0 && limits->rates[i].burst > 0;
    return fine || err_set(err, ERR_BAD_INPUT, "a limit of the edge is not positive");
}

bool edge_settings_check(const struct edge_settings *settings, struct err *err)
{
    if (!limits_check(&settings->limits, err))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (!file_check(settings->certificates[i], err) || !file_check(settings->keys[i], err))
            return false;
    for (size_t i = 0; i < settings->door_count; i++)
        if (!door_check(&settings->doors[i], err))
            return false;
    return file_check(settings->device_authority, err) && file_check(settings->run_dir, err);
}

bool edge_address_next(const char **list, char out[EDGE_ADDRESS_SIZE])
{
    static const char between[] = " ,\t";
    const char *at = *list + strspn(*list, between);
    size_t size = strcspn(at, between);
    *list = at + size;
    if (size >= EDGE_ADDRESS_SIZE)
        size = EDGE_ADDRESS_SIZE - 1;
    memcpy(out, at, size);
    out[size] = '\0';
    return size > 0;
}

void edge_address_put(struct buffer *out, const char *address, int port)
{
    buffer_format(out, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, port);
}

bool edge_address_is_both(const struct edge_door *door, const char *address)
{
    return strcmp(address, "::") == 0 && !strchr(door->address, '.');
}

bool edge_path_has_hole(const char *path)
{
    return strchr(path, '{') != NULL;
}

void edge_pattern_put(struct buffer *out, const char *path)
{
    buffer_text(out, "^");
    for (; *path; path++) {
        if (*path == '{') {
            buffer_text(out, "[^/]+");
            path = strchrnul(path, '}');
            if (!*path)
                break;
        } else if (*path == '.') {
            buffer_text(out, "\\.");
        } else {
            buffer_byte(out, (uint8_t)*path);
        }
    }
    buffer_text(out, "$");
}
