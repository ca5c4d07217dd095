/* SPDX-License-Identifier: Apache-2.0 */
/* Why things are as they are: the decision records of a device, for people. */
#include "base/text.h"
#include "cli/acts.h"
#include "cli/plain.h"
#include "cli/show.h"

/* The records whose `key` is the setting; all of them for NULL. New reference. */
static json_t *records_of(const json_t *records, const char *key, const char *setting)
{
    json_t *chosen = json_array();
    for (size_t i = 0; i < json_array_size(records); i++) {
        json_t *record = json_array_get(records, i);
        const char *name = json_string_value(json_object_get(record, key));
        if ((!setting || text_equal(name, setting)) && json_array_append(chosen, record) != 0)
            bug("no record");
    }
    return chosen;
}

static bool part_get(struct cli *cli, const char *path, json_t **out, struct err *err)
{
    const char *device = cli->words->holes[0];
    const struct api_call call = {.method = "GET", .path = api_path(cli->owner, path, &device, 1)};
    return api_send(cli, &call, out, err);
}

/* Why no record speaks of it: there is none, or there is no such setting. False always. */
static bool unknown_fail(struct cli *cli, const char *setting, struct err *err)
{
    size_t i;
    json_t *item;
    CLEANUP(json_decref_at) json_t *list = NULL;
    const struct api_call call = {.method = "GET", .path = "/settings"};
    if (!api_send(cli, &call, &list, err))
        return false;
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        if (text_equal(json_string_value(json_object_get(item, "name")), setting))
            return err_set(err, ERR_NOT_FOUND, "no policy of this device speaks of %.100s",
                           setting);
    }
    (void)err_set(err, ERR_NOT_FOUND, "there is no setting %.100s", setting);
    err->remedy = "muster setting list";
    return false;
}

/* Its compliance is null. */
static bool has_left(const json_t *device)
{
    return json_is_null(json_object_get(device, "compliance"));
}

/* {"device", "effective", "compliance", "integrity"} with the records of one setting, or all. New
 * reference. */
static bool explanation_get(struct cli *cli, const char *setting, json_t **out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *device = NULL;
    CLEANUP(json_decref_at) json_t *effective = NULL;
    CLEANUP(json_decref_at) json_t *compliance = NULL;
    CLEANUP(json_decref_at) json_t *integrity = NULL;
    if (!part_get(cli, "/devices/{}", &device, err) ||
        !part_get(cli, "/devices/{}/effective?explain=1", &effective, err) ||
        !part_get(cli, "/devices/{}/compliance", &compliance, err) ||
        ((!setting || text_starts(setting, "integrity.")) &&
         !part_get(cli, "/devices/{}/integrity", &integrity, err)))
        return false;
    json_t *decisions = records_of(json_object_get(effective, "decisions"), "setting", setting);
    json_t *results = records_of(json_object_get(compliance, "results"), "name", setting);
    bool is_found =
        !setting || has_left(device) || json_array_size(decisions) + json_array_size(results) > 0;
    if (json_object_set_new(effective, "decisions", decisions) != 0 ||
        json_object_set_new(compliance, "results", results) != 0)
        bug("no records");
    if (!is_found)
        return unknown_fail(cli, setting, err);
    *out = json_pack("{s:O, s:O, s:O, s:O?}", "device", device, "effective", effective,
                     "compliance", compliance, "integrity", integrity);
    return *out ? true : err_set(err, ERR_INTERNAL, "the explanation cannot be put together");
}

/* ---- for people ---- */

static const char *member(struct cli *cli, const json_t *object, const char *name)
{
    return show_text(cli->owner, json_object_get(object, name));
}

static bool has(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return value && !json_is_null(value);
}

static void candidate_show(struct cli *cli, const char *how, const json_t *candidate)
{
    buffer_format(&cli->out, "    %-9s%s: %s, revision %s (%s, band %s)", how,
                  member(cli, candidate, "value"), member(cli, candidate, "name"),
                  member(cli, candidate, "revision"), member(cli, candidate, "kind"),
                  member(cli, candidate, "band"));
    if (has(candidate, "reason"))
        buffer_format(&cli->out, ": %s", member(cli, candidate, "reason"));
    buffer_byte(&cli->out, '\n');
}

static void candidates_show(struct cli *cli, const char *how, const json_t *candidates)
{
    for (size_t i = 0; i < json_array_size(candidates); i++)
        candidate_show(cli, how, json_array_get(candidates, i));
}

static void decision_show(struct cli *cli, const json_t *decision)
{
    const char *state = member(cli, decision, "state");
    buffer_format(&cli->out, "%s", member(cli, decision, "setting"));
    if (has(decision, "value"))
        buffer_format(&cli->out, " = %s", member(cli, decision, "value"));
    if (!text_equal(state, "set"))
        buffer_format(&cli->out, "  (%s)", state);
    buffer_format(&cli->out, "\n    %s\n    %-9s%s\n", member(cli, decision, "title"), "rule",
                  member(cli, decision, "rule"));
    if (has(decision, "winner"))
        candidate_show(cli, "wins", json_object_get(decision, "winner"));
    candidates_show(cli, "loses", json_object_get(decision, "losers"));
    candidates_show(cli, "dropped", json_object_get(decision, "dropped"));
    buffer_byte(&cli->out, '\n');
}

static void evidence_show(struct cli *cli, const json_t *evidence)
{
    buffer_format(&cli->out, "    %-9s%s = %s, %s by %s at %s\n", "evidence",
                  member(cli, evidence, "fact"), member(cli, evidence, "value"),
                  member(cli, evidence, "evidence"), member(cli, evidence, "source"),
                  member(cli, evidence, "reported_at"));
}

static void result_show(struct cli *cli, const json_t *result)
{
    static const char *const lines[][2] = {{"asked", "expected"},     {"found", "actual"},
                                           {"why", "reason"},         {"remedy", "remedy"},
                                           {"policy", "policy_name"}, {"since", "since"},
                                           {"grace", "grace_until"}};
    buffer_format(&cli->out, "%s: ", member(cli, result, "name"));
    show_state(&cli->out, member(cli, result, "state"), cli->has_colour);
    buffer_byte(&cli->out, '\n');
    for (size_t i = 0; i < COUNT(lines); i++)
        if (has(result, lines[i][1]))
            buffer_format(&cli->out, "    %-9s%s\n", lines[i][0], member(cli, result, lines[i][1]));
    if (has(result, "evidence"))
        evidence_show(cli, json_object_get(result, "evidence"));
    buffer_byte(&cli->out, '\n');
}

/* For the device itself: nothing. */
static const char *channel_of(struct cli *cli, const json_t *item)
{
    if (!text_equal(member(cli, item, "carrier"), "user_channel"))
        return "";
    return has(item, "user") ? mem_format(cli->owner, " for %s", member(cli, item, "user"))
                             : " for its people";
}

static void items_show(struct cli *cli, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        buffer_format(&cli->out, "%s%s: ", member(cli, item, "item"), channel_of(cli, item));
        show_state(&cli->out, member(cli, item, "state"), cli->has_colour);
        buffer_format(&cli->out, " since %s", member(cli, item, "changed_at"));
        if (has(item, "reason"))
            buffer_format(&cli->out, ": %s", member(cli, item, "reason"));
        buffer_byte(&cli->out, '\n');
        if (has(item, "remedy"))
            buffer_format(&cli->out, "    %-9s%s\n", "remedy", member(cli, item, "remedy"));
    }
}

static void heading(struct cli *cli, const char *text)
{
    if (cli->has_colour)
        buffer_format(&cli->out, "\033[1m%s\033[0m\n", text); /* ECMA-48: bold */
    else
        buffer_format(&cli->out, "%s\n", text);
}

static void integrity_show(struct cli *cli, const json_t *integrity)
{
    if (!integrity || json_is_null(integrity)) /* another setting was asked about */
        return;
    heading(cli, "Integrity");
    show_state(&cli->out, member(cli, integrity, "state"), cli->has_colour);
    if (has(integrity, "reported_at"))
        buffer_format(&cli->out, " at %s", member(cli, integrity, "reported_at"));
    if (has(integrity, "counts_until"))
        buffer_format(&cli->out, ", counts until %s", member(cli, integrity, "counts_until"));
    buffer_format(&cli->out, "\n    %s\n\n", member(cli, integrity, "reason"));
}

static void explanation_show(struct cli *cli, const json_t *explanation)
{
    const json_t *device = json_object_get(explanation, "device");
    const json_t *effective = json_object_get(explanation, "effective");
    const json_t *compliance = json_object_get(explanation, "compliance");
    const json_t *decisions = json_object_get(effective, "decisions");
    const json_t *results = json_object_get(compliance, "results");
    heading(cli, mem_format(cli->owner, "%s, %s %s", member(cli, device, "name"),
                            member(cli, device, "platform"), member(cli, device, "os_version")));
    if (has_left(device)) {
        buffer_format(&cli->out,
                      "It left management (%s): nothing is managed any more, and nothing of it is "
                      "judged.\nWhat it reported last: muster device facts %s\n",
                      member(cli, device, "enrolment_state"), member(cli, device, "name"));
        return;
    }
    if (has(device, "shut_out"))
        buffer_format(&cli->out,
                      "It is shut out (%s): it is refused whenever it calls, and changes of "
                      "policies do not reach it.\n",
                      member(cli, device, "shut_out"));
    items_show(cli, json_object_get(effective, "items"));
    buffer_byte(&cli->out, '\n');
    if (json_array_size(decisions) == 0)
        buffer_text(&cli->out, "No configuration is set by a policy.\n\n");
    for (size_t i = 0; i < json_array_size(decisions); i++)
        decision_show(cli, json_array_get(decisions, i));
    integrity_show(cli, json_object_get(explanation, "integrity"));
    heading(cli, "Compliance");
    show_state(&cli->out, member(cli, compliance, "state"), cli->has_colour);
    if (has(compliance, "since"))
        buffer_format(&cli->out, " since %s", member(cli, compliance, "since"));
    buffer_text(&cli->out, "\n\n");
    for (size_t i = 0; i < json_array_size(results); i++)
        result_show(cli, json_array_get(results, i));
}

int explain_run(struct cli *cli)
{
    struct err err;
    json_t *explanation = NULL;
    const char *setting = cli->words->hole_count > 1 ? cli->words->holes[1] : NULL;
    if (!explanation_get(cli, setting, &explanation, &err))
        return cli_fail(cli, &err);
    if (!plain_is_table(cli)) {
        plain_show(cli, explanation);
        return EXIT_DONE;
    }
    explanation_show(cli, explanation);
    json_decref(explanation);
    return EXIT_DONE;
}
