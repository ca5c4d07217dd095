/* SPDX-License-Identifier: Apache-2.0 */
/* musterd: one program, several roles. */
#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "keyd/keyd.h"
#include "server/admin.h"
#include "server/advice.h"
#include "server/authority.h"
#include "server/control.h"
#include "server/edge_plan.h"
#include "server/given.h"
#include "server/serve.h"
#include "server/supervisor.h"
#include "server/wiring.h"

/* Several processes live as long as the machine: what they hold at their end is no leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static int failed(const struct err *err)
{
    (void)fprintf(stderr, "musterd: %s\n", err->text);
    return 2;
}

static bool fd_is_socket(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

static int not_by_hand(void)
{
    (void)fputs("musterd: this role is started by the supervisor\n", stderr);
    return 2;
}

static int role_keyd(void *owner, const struct options *options)
{
    if (!fd_is_socket(KEYD_FD_IN_KEYD))
        return not_by_hand();
    const struct keyd_options keyd = authority_keys(owner, options);
    _exit(keyd_main(KEYD_FD_IN_KEYD, &keyd));
}

/* Hashing one password takes 19 MiB. A block of that size goes back to the system when it is freed;
 * left alone, glibc would raise its threshold after the first and keep one in every thread's arena.
 */
#define LARGE_BLOCK (1 << 20)

static int role_server(void *owner, const struct options *options)
{
    (void)owner;
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK);
    return fd_is_socket(CONTROL_FD) && fd_is_socket(KEYD_FD_IN_SERVER) ? serve_run(options)
                                                                       : not_by_hand();
}

static int role_run(void *owner, const struct options *options)
{
    (void)owner;
    return supervisor_run(options);
}

static int role_check(void *owner, const struct options *options)
{
    struct err err;
    if (!given_check(options, clock_now(), &err))
        return failed(&err);
    (void)printf("The configuration is fine.\nfront  %s\ndevice %s\nplain  %s\n",
                 options->front_url, options->device_url, options->plain_url);
    const char *const *advice = advice_list(owner, options);
    for (size_t i = 0; advice[i]; i++)
        (void)printf("warning: %s\n", advice[i]);
    return 0;
}

static int edge_config(void *owner, const struct options *options,
                       bool (*render)(void *, const struct edge_settings *, struct bytes *,
                                      struct err *))
{
    size_t count;
    struct bytes text;
    struct err err;
    const struct routes *tables = wiring_tables(owner, &count);
    if (!render(owner, edge_plan(owner, options, tables, count), &text, &err))
        return failed(&err);
    return fwrite(text.data, 1, text.size, stdout) == text.size ? 0 : 1;
}

static int role_edge_nginx(void *owner, const struct options *options)
{
    return edge_config(owner, options, edge_nginx_render);
}

static int role_edge_haproxy(void *owner, const struct options *options)
{
    return edge_config(owner, options, edge_haproxy_render);
}

static int role_admin(void *owner, const struct options *options)
{
    return admin_run(owner, options, options->words[0], options->words[1]);
}

#define ARGUMENTS 2

static const struct role {
    const char *words[2]; /* the second may be NULL */
    int (*run)(void *owner, const struct options *options);
    const char *help; /* NULL: internal */
    /* a word that must follow, one that may; NULL: none. What begins with "--" may, as it is */
    const char *arguments[ARGUMENTS];
} roles[] = {
    {{"run", NULL}, role_run, "serve until SIGTERM", {NULL}},
    {{"check-config", NULL}, role_check, "read the options, say whether they are fine", {NULL}},
    {{"edge-config", "nginx"},
     role_edge_nginx,
     "print the configuration for an nginx of your own",
     {NULL}},
    {{"edge-config", "haproxy"}, role_edge_haproxy, "the same for HAProxy", {NULL}},
    {{"admin", NULL},
     role_admin,
     "print a one-time password for this account; ROLE of a new one: administrator (the default), "
     "help_desk or auditor; --disable ends the account with its sessions and tokens, --enable "
     "opens "
     "it again",
     {"NAME", "ROLE|--disable|--enable"}},
    {{"authority", "request"},
     authority_request,
     "before the first start: print a request (PEM) for the issuing CA, for a root of your own to "
     "certify",
     {NULL}},
    {{"authority", "import"},
     authority_import,
     "take what came of it: the issuing CA's certificate and the root, PEM in one file",
     {"FILE"}},
    {{"authority", "list"}, authority_list, "say which authorities there are", {NULL}},
    {{"authority", "prepare"},
     authority_prepare,
     "make the next authority: root, issuing CA and all below; devices get its root at the next "
     "start",
     {NULL}},
    {{"authority", "switch"},
     authority_switch,
     "from now on the next authority issues; the one before goes on signing for what it has issued",
     {NULL}},
    {{"authority", "serve"},
     authority_serve,
     "from now on the servers' own certificates are from the current authority; refused while "
     "devices have not confirmed its root, unless --anyway",
     {AUTHORITY_ANYWAY, NULL}},
    {{"authority", "retire"},
     authority_retire,
     "take an earlier authority out of use, when no certificate of it lives, or the next one",
     {"NUMBER", NULL}},
    {{"server", NULL}, role_server, NULL, {NULL}},
    {{"keyd", NULL}, role_keyd, NULL, {NULL}},
};

static bool is_flag(const char *argument)
{
    return text_starts(argument, "--");
}

static int help(void *owner)
{
    (void)puts("usage: musterd WORD [--config FILE] [--set SECTION.KEY=VALUE]...\n");
    for (size_t i = 0; i < COUNT(roles); i++) {
        const char *second = roles[i].words[1];
        const char *const *arguments = roles[i].arguments;
        if (!roles[i].help)
            continue;
        (void)printf("  %s%s%s", roles[i].words[0], second ? " " : "", second ? second : "");
        for (size_t at = 0; at < ARGUMENTS && arguments[at]; at++)
            (void)printf(at > 0 || is_flag(arguments[at]) ? " [%s]" : " %s", arguments[at]);
        (void)printf("\n      %s\n", roles[i].help);
    }
    (void)puts("  version\n      print the version\n\nOptions, with their defaults:");
    (void)fputs(options_help(owner), stdout);
    return 0;
}

/* How many words name the role; *role NULL: none of ours. */
static int role_find(int count, char *const *words, const struct role **role)
{
    for (size_t i = 0; i < COUNT(roles); i++) {
        const char *second = roles[i].words[1];
        *role = &roles[i];
        if (!text_equal(words[0], roles[i].words[0]))
            continue;
        if (!second)
            return 1;
        if (count > 1 && text_equal(words[1], second))
            return 2;
    }
    *role = NULL;
    return 0;
}

/* The second argument may be one that looks like an option. */
static bool is_argument(const char *argument, size_t place, const char *word)
{
    if (is_flag(argument))
        return text_equal(word, argument);
    return !is_flag(word) ||
           (place == 1 && (text_equal(word, ADMIN_DISABLE) || text_equal(word, ADMIN_ENABLE)));
}

/* How many of the words are the role's arguments. */
static int arguments_take(const struct role *role, int count, char *const *words,
                          const char *taken[ARGUMENTS])
{
    int used = 0;
    for (size_t i = 0; i < ARGUMENTS && role->arguments[i]; i++)
        if (used < count && is_argument(role->arguments[i], i, words[used]))
            taken[i] = words[used++];
    return used;
}

int main(int count, char **words)
{
    CLEANUP(mem_free_at) void *owner = mem_text(NULL, "");
    const struct role *role;
    struct options options;
    struct err err;
    if (count > 1 && (text_equal(words[1], "--help") || text_equal(words[1], "help")))
        return help(owner);
    if (count > 1 && (text_equal(words[1], "version") || text_equal(words[1], "--version")))
        return puts("musterd " MUSTER_VERSION) < 0;
    if (count < 2 || text_starts(words[1], "--")) {
        (void)err_set(&err, ERR_BAD_INPUT, "a word is missing: run, or see musterd --help");
        return failed(&err);
    }
    int used = role_find(count - 1, words + 1, &role);
    if (!role) {
        (void)err_set(&err, ERR_BAD_INPUT, "unknown word '%s'; try musterd --help", words[1]);
        return failed(&err);
    }
    const char *arguments[ARGUMENTS] = {NULL};
    used += arguments_take(role, count - 1 - used, words + 1 + used, arguments);
    if (role->arguments[0] && !is_flag(role->arguments[0]) && !arguments[0]) {
        (void)err_set(&err, ERR_BAD_INPUT, "%s needs a %s", role->words[0], role->arguments[0]);
        return failed(&err);
    }
    if (!options_load(owner, count - 1 - used, words + 1 + used, &options, &err))
        return failed(&err);
    options.words[0] = arguments[0];
    options.words[1] = arguments[1];
    log_level_set((enum log_level)options.log);
    if (!role->help) /* or every process of the house is called "exe" */
        (void)prctl(PR_SET_NAME, mem_format(owner, "muster-%s", role->words[0]));
    return role->run(owner, &options);
}
