/* SPDX-License-Identifier: Apache-2.0 */
#include "server/edge_files.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "pki/authorities.h"
#include "server/directories.h"
#include "server/edge_plan.h"
#include "server/given.h"

#define FILE_LARGEST (1U << 20)            /* bytes */
#define WARN_SECONDS (14 * INT64_C(86400)) /* a certificate that ends so soon is told of */
#define KEPT_SECONDS (2 * 3600)            /* a copy goes on for so long: two looks */

struct writing {
    void *scratch;
    const struct house *house;
    unsigned mode; /* the edge's group reads where it is somebody else */
    bool changed;
};

static bool put(struct writing *writing, const char *name, struct bytes content, struct err *err)
{
    const char *path = edge_file_path(writing->scratch, writing->house->options, name);
    struct bytes there;
    struct err missing;
    if (file_read(writing->scratch, path, FILE_LARGEST, &there, &missing) &&
        bytes_equal(there, content))
        return true;
    if (!file_write(path, content, writing->mode, err))
        return err_context(err, "the edge's %s", name);
    writing->changed = true;
    return true;
}

struct names { /* of the files of one identity */
    const char *certificate, *key, *both;
};

static bool put_identity(struct writing *writing, struct names names,
                         const struct tls_identity *identity, struct err *err)
{
    struct buffer both;
    struct bytes whole;
    buffer_init(&both, writing->scratch, FILE_LARGEST);
    buffer_add(&both, identity->certificate_pem);
    buffer_text(&both, "\n");
    buffer_add(&both, identity->key_pem);
    bool fine = buffer_done(&both, &whole, err) &&
                put(writing, names.certificate, identity->certificate_pem, err) &&
                put(writing, names.key, identity->key_pem, err) &&
                put(writing, names.both, whole, err);
    bytes_wipe(both.data, both.size);
    return fine;
}

static void keys_wipe(const struct tls_identity *identities, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes_wipe((void *)(uintptr_t)identities[i].key_pem.data, identities[i].key_pem.size);
}

static struct names given_names(void *owner, const struct given *given)
{
    return (struct names){given_file(owner, given, "pem"), given_file(owner, given, "key"),
                          given_file(owner, given, "both")};
}

/* What the configuration names, else what the edge has of it while that holds. */
static bool given_find(const struct writing *writing, const struct given *given,
                       struct tls_identity *out)
{
    void *scratch = writing->scratch;
    const struct options *options = writing->house->options;
    const struct names names = given_names(scratch, given);
    int64_t now = clock_now(), not_after = 0;
    struct given copy = *given;
    struct err err, none;
    if (given_read(scratch, given, now, &out->certificate_pem, &out->key_pem, &not_after, &err)) {
        if (not_after - now < WARN_SECONDS)
            log_event(LOG_WARN, "server.certificate-ends", "file", given->certificate, "at",
                      time_text(scratch, not_after), NULL);
        return true;
    }
    log_err("server.edge-files", &err, NULL);
    copy.certificate = edge_file_path(scratch, options, names.certificate);
    copy.key = edge_file_path(scratch, options, names.key);
    return given_read(scratch, &copy, now + KEPT_SECONDS, &out->certificate_pem, &out->key_pem,
                      &not_after, &none);
}

/* For one that is of no use: another of its door, which would be hidden by one of ours with the
 * same kind of key, else ours. */
static const struct tls_identity *instead(const struct given *list,
                                          const struct tls_identity *found, size_t count,
                                          size_t wanted, const struct tls_identity own[2])
{
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == list[wanted].kind && found[i].key_pem.data)
            return &found[i];
    return &own[list[wanted].index];
}

/* A file that clients would not accept keeps nobody else from being served. */
static bool put_given(struct writing *writing, const struct tls_identity own[2], struct err *err)
{
    struct given list[GIVEN_MAX];
    struct tls_identity found[GIVEN_MAX] = {0};
    size_t count = given_list(writing->scratch, writing->house->options, list);
    bool fine = true;
    for (size_t i = 0; i < count; i++)
        if (!given_find(writing, &list[i], &found[i]))
            log_event(LOG_ERROR, "server.certificate-replaced", "file", list[i].certificate, NULL);
    for (size_t i = 0; i < count && fine; i++)
        fine = put_identity(writing, given_names(writing->scratch, &list[i]),
                            found[i].key_pem.data ? &found[i] : instead(list, found, count, i, own),
                            err);
    keys_wipe(found, count);
    return fine;
}

static bool put_identities(struct writing *writing, struct err *err)
{
    const struct options *options = writing->house->options;
    struct tls_identity own[2];
    bool fine = true;
    if (!keyd_tls_identities(writing->house->keyd, writing->scratch, options->name_list, own, err))
        return err_context(err, "certificates of the edge");
    for (size_t i = 0; i < COUNT(own) && fine; i++)
        fine = put_identity(
            writing,
            (struct names){edge_certificate_files[i], edge_key_files[i], edge_combined_files[i]},
            &own[i], err);
    fine = fine && put_given(writing, own, err);
    keys_wipe(own, COUNT(own));
    return fine;
}

/* Issuing authorities and roots: clients choose a certificate by either name. */
static bool put_authority(struct writing *writing, struct err *err)
{
    void *scratch = writing->scratch;
    struct authorities all;
    const char *text = "";
    if (!keyd_authorities(writing->house->keyd, scratch, &all, err))
        return err_context(err, "authority of the devices");
    for (size_t i = all.count; i-- > 0;)
        if (authority_signs(&all.list[i]))
            text = mem_format(scratch, "%s%s%s", text,
                              pem_encode(scratch, "CERTIFICATE", all.list[i].issuing),
                              pem_encode(scratch, "CERTIFICATE", all.list[i].root));
    return put(writing, EDGE_FILE_AUTHORITY, bytes_text(text), err);
}

static bool put_configuration(struct writing *writing, struct err *err)
{
    const struct options *options = writing->house->options;
    size_t count;
    struct bytes text;
    const struct routes *tables = wiring_tables(writing->scratch, &count);
    const struct edge_settings *plan = edge_plan(writing->scratch, options, tables, count);
    return edge_nginx_render(writing->scratch, plan, &text, err) &&
           put(writing, EDGE_FILE_NGINX, text, err);
}

bool edge_files_write(const struct house *house, bool *changed, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    struct user_ids edge;
    if (!user_find(house->options->edge_user, &edge, err))
        return false;
    struct writing writing = {.scratch = scratch,
                              .house = house,
                              .mode = edge.is_set && edge.user != geteuid() ? 0640 : 0600};
    if (!put_identities(&writing, err) || !put_authority(&writing, err) ||
        !put_configuration(&writing, err))
        return false;
    *changed = writing.changed;
    return true;
}

/* The directory that nginx writes into is the edge's: where that is somebody else, nginx, which
 * opens its pid file even to check, is given the same configuration with a directory of ours. */
static bool check_as_another(const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) void *scratch = mem_text(NULL, "");
    size_t count;
    struct bytes text;
    const struct routes *tables = wiring_tables(scratch, &count);
    struct edge_settings plan = *edge_plan(scratch, options, tables, count);
    const char *file = edge_file_path(scratch, options, EDGE_FILE_CHECK);
    plan.run_dir = options_run_path(scratch, options, DIRECTORY_EDGE);
    bool fine = edge_nginx_render(scratch, &plan, &text, err) &&
                file_write(file, text, 0600, err) &&
                edge_nginx_check(options->edge_program, plan.run_dir, file, err);
    (void)unlink(file);
    (void)unlink(edge_file_path(scratch, options, "nginx.pid"));
    return fine;
}

bool edge_files_check(const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) char *prefix = options_run_path(NULL, options, DIRECTORY_EDGE_TMP);
    CLEANUP(mem_free_at) char *file = edge_file_path(NULL, options, EDGE_FILE_NGINX);
    struct user_ids edge;
    if (options->edge_mode == EDGE_MODE_EXTERNAL)
        return true;
    if (!user_find(options->edge_user, &edge, err))
        return false;
    return edge.is_set && edge.user != geteuid()
               ? check_as_another(options, err)
               : edge_nginx_check(options->edge_program, prefix, file, err);
}
