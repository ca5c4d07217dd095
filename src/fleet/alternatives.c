/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/alternatives.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define COMMON_NAME_LONGEST 64 /* characters: RFC 5280 A.1, ub-common-name */
#define DNS_LONGEST 253
#define URI_LONGEST 1000

/* The next part of a list with commas, without spaces around; NULL at the end. */
static char *part_next(void *owner, const char **at)
{
    const char *start = *at;
    if (!start)
        return NULL;
    const char *comma = strchr(start, ',');
    size_t size = comma ? (size_t)(comma - start) : strlen(start);
    *at = comma ? comma + 1 : NULL;
    while (size > 0 && *start == ' ') {
        start++;
        size--;
    }
    while (size > 0 && start[size - 1] == ' ')
        size--;
    return mem_text_part(owner, start, size);
}

/* ---- alternative names ---- */

/* Letters, digits, hyphens and dots; a star only as the first label. */
static bool dns_read(void *owner, const char *text, const char **out)
{
    char *name = mem_text(owner, text);
    size_t size = strlen(name), label = 0, first = text_starts(name, "*.") ? 2 : 0;
    for (size_t i = first; i < size; i++) {
        name[i] = (char)tolower((unsigned char)name[i]);
        bool is_dot = name[i] == '.';
        if (!is_dot && !isalnum((unsigned char)name[i]) && name[i] != '-')
            return false;
        if (is_dot ? label == 0 : ++label > 63)
            return false;
        label = is_dot ? 0 : label;
    }
    *out = name;
    return size > first && size <= DNS_LONGEST && label > 0;
}

static bool ip_read(void *owner, const char *text, const char **out)
{
    uint8_t octets[16];
    char shown[INET6_ADDRSTRLEN];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, octets) != 1 || !inet_ntop(family, octets, shown, sizeof(shown)))
        return false;
    *out = mem_text(owner, shown);
    return true;
}

static bool uri_read(void *owner, const char *text, const char **out)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    *out = mem_text(owner, text);
    return size > 0 && size <= URI_LONGEST && strchr(text, ':');
}

struct splitting {
    void *owner;
    struct split_alternatives found;
    size_t dns_count, ip_count;
};

static bool alternative_read(struct splitting *s, const char *part)
{
    if (text_starts(part, "dns:") && s->dns_count < ALTERNATIVES_MOST)
        return dns_read(s->owner, part + 4, &s->found.dns[s->dns_count++]);
    if (text_starts(part, "ip:") && s->ip_count < ALTERNATIVES_MOST)
        return ip_read(s->owner, part + 3, &s->found.ip[s->ip_count++]);
    if (text_starts(part, "uri:") && !s->found.uri)
        return uri_read(s->owner, part + 4, &s->found.uri);
    return false;
}

bool alternatives_split(void *owner, const char *text, struct split_alternatives *out,
                        struct err *err)
{
    struct splitting s = {.owner = owner,
                          .found = {.dns = mem_array(owner, const char *, ALTERNATIVES_MOST + 1),
                                    .ip = mem_array(owner, const char *, ALTERNATIVES_MOST + 1)}};
    const char *at = text && *text ? text : NULL;
    for (char *part; (part = part_next(owner, &at));)
        if (!alternative_read(&s, part))
            return err_at(err, ERR_BAD_INPUT, "/alternative_names",
                          "alternative names are dns:HOST, ip:ADDRESS and one uri:URI, "
                          "with commas between");
    *out = s.found;
    return true;
}

/* ---- the subject ---- */

static bool value_is_plain(const char *value)
{
    return !text_is_blank(value) && text_length(value) <= COMMON_NAME_LONGEST &&
           !strpbrk(value, "\\\"+<>;=#\t\r\n");
}

bool subject_split(void *owner, const char *text, char **common_name, char **organization,
                   struct err *err)
{
    char *name = NULL, *house = NULL;
    const char *at = text;
    for (char *part; (part = part_next(owner, &at));) {
        char **value = text_starts(part, "CN=") ? &name : text_starts(part, "O=") ? &house : NULL;
        char *content = strchr(part, '=');
        if (!value || *value || !content || !value_is_plain(content + 1))
            return err_at(err, ERR_BAD_INPUT, "/subject",
                          "a subject is CN=NAME or CN=NAME, O=ORGANIZATION; values have at most %d "
                          "characters, none of them special",
                          COMMON_NAME_LONGEST);
        *value = content + 1;
    }
    if (!name)
        return err_at(err, ERR_BAD_INPUT, "/subject", "a subject needs CN=NAME");
    *common_name = name;
    *organization = house;
    return true;
}
