/* SPDX-License-Identifier: Apache-2.0 */
#include "server/options.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "edge/edge.h"
#include "server/directories.h"
#include "server/options_table.h"

#define NAME_LONGEST 253       /* of a host name */
#define RUN_DIR_LONGEST 80     /* a socket's path has 107 bytes */
#define ORGANIZATION_LENGTH 64 /* characters */
#define FREE_PORT 1024         /* the first that everybody may bind */
#define EDGE_OWN_FILES 128     /* ports, logs, libraries, what is kept open to the server */

/* ---- what follows from other options ---- */

static bool name_check(const char *name, struct err *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";
    if (strlen(name) > NAME_LONGEST || strspn(name, letters) != strlen(name))
        return err_set(err, ERR_BAD_INPUT, "[server] names: '%s' is no host name", name);
    return true;
}

/* Names stand between spaces or commas. */
static bool names_split(void *owner, struct options *options, struct err *err)
{
    static const char between[] = " ,\t";
    char host[NAME_LONGEST + 1] = "localhost";
    if (!*options->names) {
        (void)gethostname(host, sizeof(host) - 1);
        options->names = mem_text(owner, host);
    }
    size_t count = 0;
    const char *at = options->names + strspn(options->names, between);
    while (*at) {
        size_t size = strcspn(at, between);
        if (count == OPTIONS_NAMES_MAX)
            return err_set(err, ERR_TOO_LARGE, "[server] names: more than %d", OPTIONS_NAMES_MAX);
        options->name_list[count] = mem_text_part(owner, at, size);
        if (!name_check(options->name_list[count++], err))
            return false;
        at += size;
        at += strspn(at, between);
    }
    return count > 0 || err_set(err, ERR_BAD_INPUT, "[server] names: at least one");
}

static void url_default(void *owner, const struct options *options, const char *scheme,
                        int64_t port, char **url)
{
    const char *name = options->name_list[0];
    bool is_six = strchr(name, ':') != NULL;
    if (!**url)
        *url = mem_format(owner, is_six ? "%s://[%s]:%lld" : "%s://%s:%lld", scheme, name,
                          (long long)port);
}

static bool directory_check(const char *key, const char *path, struct err *err)
{
    if (path[0] != '/' || strstr(path, "/../"))
        return err_set(err, ERR_BAD_INPUT, "[server] %s: '%s' is not an absolute path", key, path);
    return true;
}

static bool addresses_check(const char *section, const char *addresses, struct err *err)
{
    size_t count = 0;
    struct in6_addr binary;
    char address[EDGE_ADDRESS_SIZE];
    while (edge_address_next(&addresses, address)) {
        if (++count > EDGE_ADDRESSES_MAX)
            return err_set(err, ERR_TOO_LARGE, "[%s] address: more than %d", section,
                           EDGE_ADDRESSES_MAX);
        if (inet_pton(AF_INET, address, &binary) != 1 && inet_pton(AF_INET6, address, &binary) != 1)
            return err_set(err, ERR_BAD_INPUT, "[%s] address: '%s' is not an IP address", section,
                           address);
    }
    return count > 0 || err_set(err, ERR_BAD_INPUT, "[%s] address: at least one", section);
}

static bool pair_check(const char *section, const char *certificate, const char *key,
                       struct err *err)
{
    if (!*certificate != !*key)
        return err_set(err, ERR_BAD_INPUT,
                       "[%s] a certificate needs its key, a key its certificate", section);
    return true;
}

static bool pairs_check(const struct options *o, struct err *err)
{
    if ((*o->front_certificate_2 && !*o->front_certificate) ||
        (*o->device_certificate_2 && !*o->device_certificate))
        return err_set(err, ERR_BAD_INPUT, "certificate_2 stands beside a certificate");
    return pair_check("front", o->front_certificate, o->front_key, err) &&
           pair_check("front", o->front_certificate_2, o->front_key_2, err) &&
           pair_check("device", o->device_certificate, o->device_key, err) &&
           pair_check("device", o->device_certificate_2, o->device_key_2, err);
}

static bool ports_check(const struct options *options, struct err *err)
{
    const int64_t ports[] = {options->front_port, options->device_port, options->plain_port,
                             options->metrics_port};
    for (size_t i = 0; i < COUNT(ports); i++)
        for (size_t k = i + 1; k < COUNT(ports); k++)
            if (ports[i] == ports[k])
                return err_set(err, ERR_BAD_INPUT, "port %lld is given twice", (long long)ports[i]);
    return true;
}

static bool users_check(const struct options *options, struct err *err)
{
    const char *const names[] = {options->user, options->keyd_user, options->edge_user};
    struct user_ids ids;
    for (size_t i = 0; i < COUNT(names); i++)
        if (!user_find(names[i], &ids, err))
            return false;
    return true;
}

/* The server may read or change whatever lies beside this file: that must not be the keys. */
static bool place_check(void *owner, const struct options *options, const char *key,
                        const char *file, struct err *err)
{
    if (file[0] != '/' || strstr(file, "/../") || strstr(file, "//"))
        return err_set(err, ERR_BAD_INPUT, "%s: '%s' is not an absolute path", key, file);
    const char *slash = strrchr(file, '/');
    char *folder = mem_text_part(owner, file, (size_t)(slash - file) + 1);
    char *keys = mem_format(owner, "%s/" DIRECTORY_KEYS "/", options->data_dir);
    if (text_starts(keys, folder) || text_starts(folder, keys))
        return err_set(err, ERR_BAD_INPUT, "%s: %s holds keys/; put it into a directory of its own",
                       key, folder);
    return true;
}

static bool places_check(void *owner, const struct options *o, struct err *err)
{
    static const char scheme[] = "sqlite:";
    const struct {
        const char *key, *file;
    } places[] = {
        {"[server] database", text_starts(o->database, scheme) ? o->database + strlen(scheme) : ""},
        {"[front] certificate", o->front_certificate},
        {"[front] key", o->front_key},
        {"[front] certificate_2", o->front_certificate_2},
        {"[front] key_2", o->front_key_2},
        {"[device] certificate", o->device_certificate},
        {"[device] key", o->device_key},
        {"[device] certificate_2", o->device_certificate_2},
        {"[device] key_2", o->device_key_2},
    };
    for (size_t i = 0; i < COUNT(places); i++)
        if (*places[i].file && !place_check(owner, o, places[i].key, places[i].file, err))
            return false;
    return true;
}

/* It stands in the authority's certificates as O, which has at most 64 characters (X.520
 * ub-organization-name). */
static bool organization_check(const char *name, struct err *err)
{
    if (!text_is_utf8(bytes_text(name)))
        return err_set(err, ERR_BAD_INPUT, "[server] organization: it is not UTF-8");
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return err_set(err, ERR_BAD_INPUT, "[server] organization: no control characters");
    size_t length = text_length(name);
    if (length == 0 || length > ORGANIZATION_LENGTH)
        return err_set(
            err, ERR_BAD_INPUT,
            "[server] organization: 1 to %d characters, not %zu: it stands in certificates",
            ORGANIZATION_LENGTH, length);
    return true;
}

static bool options_finish(void *owner, struct options *options, struct err *err)
{
    if (!organization_check(options->organization, err) ||
        !directory_check("data_dir", options->data_dir, err) ||
        !directory_check("run_dir", options->run_dir, err) ||
        !addresses_check("front", options->front_address, err) ||
        !addresses_check("device", options->device_address, err) ||
        !addresses_check("plain", options->plain_address, err) || !ports_check(options, err) ||
        !pairs_check(options, err) || !users_check(options, err) ||
        !names_split(owner, options, err) || !places_check(owner, options, err))
        return false;
    if (strlen(options->run_dir) > RUN_DIR_LONGEST)
        return err_set(err, ERR_BAD_INPUT, "[server] run_dir: at most %d bytes", RUN_DIR_LONGEST);
    url_default(owner, options, "https", options->front_port, &options->front_url);
    url_default(owner, options, "https", options->device_port, &options->device_url);
    url_default(owner, options, "http", options->plain_port, &options->plain_url);
    if (!*options->database)
        options->database =
            mem_format(owner, "sqlite:%s/" DIRECTORY_DATABASE "/" DATABASE_FILE, options->data_dir);
    return true;
}

bool options_want_low_ports(const struct options *options)
{
    const int64_t ports[] = {options->front_port, options->device_port, options->plain_port};
    for (size_t i = 0; i < COUNT(ports); i++)
        if (options->edge_mode == EDGE_MODE_EMBEDDED && ports[i] < FREE_PORT)
            return true;
    return false;
}

int64_t options_edge_files(const struct options *options)
{
    return 2 * options->edge_connections + EDGE_OWN_FILES;
}

/* ---- reading ---- */

static bool file_load(void *owner, const char *path, struct options *options, struct err *err)
{
    struct bytes content;
    if (!file_read(owner, path, CONFIG_SIZE_MAX, &content, err))
        return err_context(err, "%s", path);
    const char *text = bytes_to_text(owner, content);
    if (!text)
        return err_set(err, ERR_BAD_INPUT, "%s is not a text", path);
    return config_parse(owner, text, options_sections, options_section_count, options, err) ||
           err_context(err, "%s", path);
}

static bool word_take(void *owner, const char *word, const char *value, struct options *options,
                      struct err *err)
{
    if (text_equal(word, "--config"))
        return file_load(owner, value, options, err);
    return config_set(owner, value, options_sections, options_section_count, options, err) ||
           err_context(err, "--set");
}

/* They are handed on as lines of a file. */
static bool texts_check(const struct options *options, struct err *err)
{
    for (size_t i = 0; i < options_section_count; i++)
        for (size_t k = 0; k < options_sections[i].fields.count; k++) {
            const struct field *field = &options_sections[i].fields.list[k];
            if (field->type == FIELD_TEXT &&
                strpbrk(*(char *const *)field_in(field, options), "\r\n"))
                return err_set(err, ERR_BAD_INPUT, "[%s] %s: a value is one line",
                               options_sections[i].name, field->name);
        }
    return true;
}

/* The file first, wherever it stands: --set wins over it. */
bool options_load(void *owner, int count, char *const *words, struct options *out, struct err *err)
{
    static const char *const known[] = {"--config", "--set"};
    struct options options = options_defaults(owner);
    for (int i = 0; i < count; i += 2) {
        if (!text_equal(words[i], known[0]) && !text_equal(words[i], known[1]))
            return err_set(err, ERR_BAD_INPUT, "unknown word '%s'; try musterd --help", words[i]);
        if (i + 1 == count)
            return err_set(err, ERR_BAD_INPUT, "%s needs a value", words[i]);
    }
    for (size_t k = 0; k < COUNT(known); k++)
        for (int i = 0; i + 1 < count; i += 2)
            if (text_equal(words[i], known[k]) &&
                !word_take(owner, words[i], words[i + 1], &options, err))
                return false;
    if (!texts_check(&options, err) || !options_finish(owner, &options, err))
        return false;
    options.arguments = (const char *const *)words;
    options.argument_count = (size_t)count;
    *out = options;
    return true;
}

char *options_run_path(void *owner, const struct options *options, const char *name)
{
    return mem_format(owner, "%s/%s", options->run_dir, name);
}

bool user_find(const char *name, struct user_ids *out, struct err *err)
{
    char text[4096];
    struct passwd entry, *found = NULL;
    *out = (struct user_ids){0};
    if (!*name)
        return true;
    if (getpwnam_r(name, &entry, text, sizeof(text), &found) != 0 || !found)
        return err_set(err, ERR_BAD_INPUT, "[users]: there is no user '%s'", name);
    *out = (struct user_ids){.user = found->pw_uid, .group = found->pw_gid, .is_set = true};
    return true;
}
