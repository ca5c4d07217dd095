/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: their settings as typed or in a file, and whom they are for. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/prompt.h"

#define SETTINGS_SIZE_MAX 65536 /* bytes of a file */
#define BAND_LOWEST 1
#define BAND_HIGHEST 1000

static const struct json_limits limits = {SETTINGS_SIZE_MAX, 4, 4096};

/* ---- settings ---- */

/* Versions are text even when "17" looks like a number. */
static bool is_version(const char *name)
{
    return text_starts(name, "os.") || text_equal(name, "system.update_version");
}

/* true, false and whole numbers as such, all else as text. */
static json_t *value_of(const char *name, const char *text)
{
    int64_t number;
    struct err ignored;
    if (text_equal(text, "true") || text_equal(text, "false"))
        return json_boolean(text[0] == 't');
    if (!is_version(name) &&
        number_parse(bytes_text(text), INT64_MIN, INT64_MAX, &number, &ignored))
        return json_integer(number);
    return json_string(text);
}

static bool setting_put(struct cli *cli, json_t *settings, const char *typed, struct err *err)
{
    const char *equals = strchr(typed, '=');
    if (!equals || equals == typed)
        return err_set(err, ERR_BAD_INPUT, "--set wants NAME=VALUE, not \"%.60s\"", typed);
    const char *name = mem_text_part(cli->owner, typed, (size_t)(equals - typed));
    json_t *value = value_of(name, equals + 1);
    if (!value)
        return err_set(err, ERR_BAD_INPUT, "--set %.60s: not UTF-8", name);
    json_set(settings, name, value);
    return true;
}

static bool file_settings(struct cli *cli, json_t **settings, struct err *err)
{
    struct bytes content;
    json_t *json = NULL;
    const char *path = words_option(cli->words, OPTION_FILE);
    if (!path)
        return true;
    if (!input_read(cli->owner, path, SETTINGS_SIZE_MAX, &content, err))
        return false;
    if (!json_parse(content, &limits, &json, err))
        return err_context(err, "%s", input_name(path));
    json_decref(*settings);
    *settings = json;
    return json_is_object(json) ||
           err_set(err, ERR_BAD_INPUT, "%s: a JSON object of settings is wanted", input_name(path));
}

/* The file first, then what is unset and set on the command line. */
static bool settings_change(struct cli *cli, json_t **settings, struct err *err)
{
    const struct words *words = cli->words;
    if (!file_settings(cli, settings, err))
        return false;
    for (size_t i = 0; i < words->given_count[OPTION_UNSET]; i++)
        if (json_object_del(*settings, words->given[OPTION_UNSET][i]) != 0)
            return err_set(err, ERR_NOT_FOUND, "the policy does not set %.100s",
                           words->given[OPTION_UNSET][i]);
    for (size_t i = 0; i < words->given_count[OPTION_SET]; i++)
        if (!setting_put(cli, *settings, words->given[OPTION_SET][i], err))
            return false;
    return true;
}

/* ---- policies ---- */

static void text_put(const struct cli *cli, json_t *body, const char *name, enum option_id option)
{
    const char *text = words_option(cli->words, option);
    if (text)
        json_set(body, name, json_string(text));
}

static bool kind_check(const char *kind, struct err *err)
{
    return !kind || text_equal(kind, "configuration") || text_equal(kind, "compliance") ||
           err_set(err, ERR_BAD_INPUT, "--kind is configuration or compliance");
}

int policy_create_run(struct cli *cli)
{
    struct err err;
    CLEANUP(json_decref_at) json_t *body = json_object();
    CLEANUP(json_decref_at) json_t *settings = json_object();
    const char *name = words_option(cli->words, OPTION_NAME);
    const char *kind = words_option(cli->words, OPTION_KIND);
    if (!name && cli->words->hole_count > 0)
        name = cli->words->holes[0];
    else if (!name || cli->words->hole_count > 0) {
        (void)err_set(&err, ERR_BAD_INPUT, "one name is needed: muster policy create NAME");
        return cli_usage(cli, &err);
    }
    if (!kind_check(kind, &err) || !settings_change(cli, &settings, &err))
        return cli_usage(cli, &err);
    json_set(body, "name", json_string(name));
    json_set(body, "kind", json_string(kind ? kind : "configuration"));
    text_put(cli, body, "description", OPTION_DESCRIPTION);
    json_set(body, "settings", json_incref(settings));
    const struct api_call call = {.method = "POST", .path = "/policies", .body = body};
    return plain_send(cli, &call);
}

/* A new revision of the one that was read: of two people who edit, the second is told. */
int policy_edit_run(struct cli *cli)
{
    struct err err;
    CLEANUP(json_decref_at) json_t *policy = NULL;
    CLEANUP(json_decref_at) json_t *body = json_object();
    const char *path = api_path(cli->owner, "/policies/{}", cli->words->holes, 1);
    const struct api_call read = {.method = "GET", .path = path};
    if (!api_send(cli, &read, &policy, &err))
        return cli_fail(cli, &err);
    CLEANUP(json_decref_at)
    json_t *settings = json_deep_copy(json_object_get(policy, "settings"));
    if (!settings)
        settings = json_object();
    if (!settings_change(cli, &settings, &err))
        return cli_usage(cli, &err);
    text_put(cli, body, "name", OPTION_NAME);
    text_put(cli, body, "description", OPTION_DESCRIPTION);
    if (!json_equal(settings, json_object_get(policy, "settings")))
        json_set(body, "settings", json_incref(settings));
    if (json_object_size(body) == 0) {
        cli_say("Nothing changes.");
        return EXIT_DONE;
    }
    const struct api_call write = {.method = "PUT",
                                   .path = path,
                                   .body = body,
                                   .if_revision =
                                       json_integer_value(json_object_get(policy, "revision"))};
    return plain_send(cli, &write);
}

/* ---- assignments ---- */

static bool assign(struct cli *cli, const char *device, json_t *items, struct err *err)
{
    int64_t band = 0;
    json_t *answer = NULL;
    CLEANUP(json_decref_at) json_t *body = json_object();
    CLEANUP(json_decref_at) json_t *found = NULL;
    if (!option_number(cli, OPTION_BAND, BAND_LOWEST, BAND_HIGHEST, &band, err))
        return false;
    json_set(body, "target", json_string(device ? "device" : "all"));
    if (device) {
        const struct api_call look = {.method = "GET",
                                      .path = api_path(cli->owner, "/devices/{}", &device, 1)};
        if (!api_send(cli, &look, &found, err))
            return err_context(err, "%.100s", device);
        json_set(body, "device_id", json_incref(json_object_get(found, "id")));
    }
    if (band > 0)
        json_set(body, "band", json_integer(band));
    const struct api_call call = {
        .method = "POST",
        .path = api_path(cli->owner, "/policies/{}/assignments", cli->words->holes, 1),
        .body = body};
    if (!api_send(cli, &call, &answer, err))
        return false;
    if (json_array_append_new(items, answer) != 0)
        bug("no assignment");
    return true;
}

int policy_assign_run(struct cli *cli)
{
    struct err err;
    int code = EXIT_DONE;
    size_t failed = 0;
    CLEANUP(json_decref_at) json_t *items = json_array();
    const char **devices = cli->words->given[OPTION_DEVICE];
    size_t count = cli->words->given_count[OPTION_DEVICE];
    if (words_has(cli->words, OPTION_ALL) == (count > 0)) {
        (void)err_set(&err, ERR_BAD_INPUT, "to whom? either --all or --device NAME");
        return cli_usage(cli, &err);
    }
    for (size_t i = 0; i < count || (i == 0 && count == 0); i++) {
        if (assign(cli, count > 0 ? devices[i] : NULL, items, &err))
            continue;
        failed++;
        code = cli_fail(cli, &err);
    }
    if (json_array_size(items) == 1)
        plain_show(cli, json_incref(json_array_get(items, 0)));
    else if (json_array_size(items) > 1)
        plain_show(cli, json_pack("{s:O}", "items", items));
    return plain_result(count > 0 ? count : 1, failed, code);
}
