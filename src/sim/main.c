/* SPDX-License-Identifier: Apache-2.0 */
/*
 * muster-sim: simulated Apple devices and a simulated APNs over the real wire.  Prints one JSON
 * object; exit code 0: it worked, 1: it did not ("error" says why), 2: wrong usage.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>

#include "base/text.h"
#include "sim/misbehave.h"
#include "sim/program.h"

#define ENROL_OPTIONS                                                                              \
    "state! link sign-in account account-host user password new-password ownership service dir "   \
    "name model os build "                                                                         \
    "serial udid passcode ca keys push-host "                                                      \
    "scep-misbehave "                                                                              \
    "without-declarations patience"

#define HELP_MAX 65536 /* bytes */

struct subcommand {
    const char *noun, *verb; /* verb NULL: the noun alone */
    bool (*run)(const struct options *options, json_t *result, struct err *err);
    const char *takes;
    const char *help;
};

static const struct subcommand subcommands[] = {
    {"apple", "enrol", apple_enrol, ENROL_OPTIONS,
     "enrol a phone: by a link, by signing in, or as the enrolment service says"},
    {"apple", "checkin", apple_checkin, "state! misbehave user patience",
     "one management session; with --user: of that person on a Mac"},
    {"apple", "user", apple_user, "state! user! patience",
     "a person signs in at a Mac: a channel of its own begins"},
    {"apple", "bootstrap-token", apple_bootstrap_token, "state! patience",
     "a Mac asks for the token that it left: none, same or other"},
    {"apple", "checkout", apple_check_out, "state! patience", "the user removes management"},
    {"apple", "set", apple_set, "state! ...", "change the model: passcode.length=8"},
    {"apple", "show", apple_show, "state!", "model, profiles, ledger"},
    {"apple", "serve", apple_serve, "state apns interval patience ...", "phones that stay on"},
    {"apple", "load", apple_load,
     "link-file! devices! connections! seconds! fresh-tls ca keys ledger leave-after locked-every "
     "patience push-host",
     "many phones for a while"},
    {"apple", "hold", apple_hold, "state! connections! seconds!", "idle connections"},
    {"enrolment-service", "authority", enrolment_service_authority, "dir!",
     "test CA, server certificate and device authority of an enrolment service"},
    {"enrolment-service", "token", enrolment_service_token, "dir! cert! out! consumer days",
     "a server token, encrypted to a public key"},
    {"enrolment-service", NULL, enrolment_service_serve,
     "dir! port ready-file page-size session-calls rotate", "a simulated enrolment service"},
    {"attestation", "authority", attestation_authority, "dir!",
     "test roots that attest phones, the right one and another"},
    {"keys", NULL, keys_make, "out! count bits", "fill a key pool"},
    {"apns", "authority", apns_authority, "dir!", "test CA and server certificate of an APNs"},
    {"apns", "sign", apns_sign, "dir! csr! topic! out!", "a push certificate from a request"},
    {"apns", NULL, apns_serve,
     "dir port control-port cert key client-ca ready-file ledger strict-tokens streams "
     "delay-ms",
     "a simulated APNs"},
};

static volatile sig_atomic_t stop_wanted; /* the stop flag */

static void stop_set(int number)
{
    (void)number;
    stop_wanted = 1;
}

void stop_watch(void)
{
    struct sigaction action = {.sa_handler = stop_set};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool stop_asked(void)
{
    return stop_wanted != 0;
}

void line_print(const json_t *value)
{
    CLEANUP(mem_free_at) char *text = json_text(NULL, value);
    (void)puts(text);
    (void)fflush(stdout);
}

void error_show(json_t *object, const struct err *err)
{
    json_object_set_new(object, "error", json_string(err->text));
    json_object_set_new(object, "kind", json_string(err_kind_name(err->kind)));
    if (err->where[0])
        json_object_set_new(object, "where", json_string(err->where));
}

/* "link! state! name" as "--link --state [--name]". */
static void takes_show(struct buffer *out, const char *takes)
{
    CLEANUP(mem_free_at) char *copy = mem_text(NULL, takes);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        size_t size = strlen(word);
        bool required = size > 0 && word[size - 1] == '!';
        if (text_equal(word, "..."))
            buffer_text(out, " ...");
        else if (required)
            buffer_format(out, " --%.*s", (int)size - 1, word);
        else if (size > 0)
            buffer_format(out, " [--%s]", word);
    }
}

/* tools/man.py makes the manual page's list out of this. */
static int help_print(FILE *stream)
{
    CLEANUP(mem_free_at) char *scratch = mem_new(NULL, char);
    struct buffer out;
    buffer_init(&out, scratch, HELP_MAX);
    buffer_text(&out, "muster-sim COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < COUNT(subcommands); i++) {
        buffer_format(&out, "  %s%s%s", subcommands[i].noun, subcommands[i].verb ? " " : "",
                      subcommands[i].verb ? subcommands[i].verb : "");
        takes_show(&out, subcommands[i].takes);
        buffer_format(&out, "\n      %s\n", subcommands[i].help);
    }
    buffer_text(&out, "\nOptions\n");
    options_help(&out);
    buffer_format(&out, "\nScripts of --misbehave\n  %s\n", misbehave_names(scratch));
    (void)fputs(buffer_string(&out), stream);
    return stream == stdout ? 0 : 2;
}

static int usage(const char *why)
{
    if (!why)
        return help_print(stderr);
    (void)fprintf(stderr, "muster-sim: %s; see muster-sim --help\n", why);
    return 2;
}

static const struct subcommand *subcommand_find(char **argv, int *used)
{
    for (size_t i = 0; i < COUNT(subcommands); i++) {
        const struct subcommand *one = &subcommands[i];
        if (!argv[1] || !text_equal(one->noun, argv[1]) ||
            (one->verb && (!argv[2] || !text_equal(one->verb, argv[2]))))
            continue;
        *used = one->verb ? 3 : 2;
        return one;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int used = 1;
    (void)argc;
    const struct subcommand *subcommand = subcommand_find(argv, &used);
    CLEANUP(mem_free_at) char *owner = mem_new(NULL, char);
    struct options options = {.bits = 2048, .interval = 60, .count = 16};
    struct err err = {0};
    if (argv[1] && text_equal(argv[1], "--help"))
        return help_print(stdout);
    if (!subcommand)
        return usage(argv[1] ? "no such subcommand" : NULL);
    if (!options_parse(owner, argv + used, subcommand->takes, &options, &err))
        return usage(err.text);
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return 1;
    CLEANUP(json_decref_at) json_t *result = json_object();
    bool worked = subcommand->run(&options, result, &err);
    json_object_set_new(result, "ok", json_boolean(worked));
    if (!worked)
        error_show(result, &err);
    line_print(result);
    curl_global_cleanup();
    return worked ? 0 : 1;
}
