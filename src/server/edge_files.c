/* SPDX-License-Identifier: Apache-2.0 */
#include "server/edge_files.h"

#include <unistd.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "server/directories.h"
#include "server/edge_plan.h"

#define FILE_LARGEST (1U << 20) /* bytes */

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

static bool put_identity(struct writing *writing, size_t index, const struct tls_identity *identity,
                         struct err *err)
{
    struct buffer both;
    struct bytes whole;
    buffer_init(&both, writing->scratch, FILE_LARGEST);
    buffer_add(&both, identity->certificate_pem);
    buffer_add(&both, identity->key_pem);
    bool fine = buffer_done(&both, &whole, err) &&
                put(writing, edge_certificate_files[index], identity->certificate_pem, err) &&
                put(writing, edge_key_files[index], identity->key_pem, err) &&
                put(writing, edge_combined_files[index], whole, err);
    bytes_wipe(both.data, both.size);
    bytes_wipe((void *)(uintptr_t)identity->key_pem.data, identity->key_pem.size);
    return fine;
}

static bool put_identities(struct writing *writing, struct err *err)
{
    const struct options *options = writing->house->options;
    struct tls_identity identities[2];
    if (!keyd_tls_identities(writing->house->keyd, writing->scratch, options->name_list, identities,
                             err))
        return err_context(err, "certificates of the edge");
    return put_identity(writing, 0, &identities[0], err) &&
           put_identity(writing, 1, &identities[1], err);
}

/* Issuing authority and root: clients choose a certificate by either name. */
static bool put_authority(struct writing *writing, struct err *err)
{
    struct authority authority;
    if (!keyd_authority(writing->house->keyd, writing->scratch, &authority, err))
        return err_context(err, "authority of the devices");
    char *text = mem_format(writing->scratch, "%s%s",
                            pem_encode(writing->scratch, "CERTIFICATE", authority.issuing),
                            pem_encode(writing->scratch, "CERTIFICATE", authority.root));
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

bool edge_files_check(const struct options *options, struct err *err)
{
    CLEANUP(mem_free_at) char *prefix = options_run_path(NULL, options, DIRECTORY_EDGE_TMP);
    CLEANUP(mem_free_at) char *file = edge_file_path(NULL, options, EDGE_FILE_NGINX);
    return options->edge_mode == EDGE_MODE_EXTERNAL ||
           edge_nginx_check(options->edge_program, prefix, file, err);
}
