/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plain.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/target.h"

#define FILE_SIZE_MAX ((size_t)256 * 1024) /* bytes of a text */
#define PAGE_ROWS 50
#define PAGE_ROWS_MAX 1000
#define ITEMS_MAX 1000000 /* rows that --all collects */

/* ---- answers ---- */

/* The next line of a text, safe to show; NULL: there is none. */
static char *line_take(struct cli *cli, const char **text)
{
    if (!*text || !**text)
        return NULL;
    const char *end = strchrnul(*text, '\n');
    char *line = mem_text_part(cli->owner, *text, (size_t)(end - *text));
    *text = *end ? end + 1 : end;
    return show_safe(cli->owner, line);
}

static void more_say(struct cli *cli, const char *title, const json_t *more)
{
    const char *text = json_string_value(more);
    if (!text || !strchr(text, '\n')) {
        cli_say("%s: %s", title, show_text(cli->owner, more));
        return;
    }
    cli_say("%s:", title);
    for (char *line; (line = line_take(cli, &text)) != NULL;)
        cli_say("  %s", line);
}

/* For a pipe: the value alone; what else the row names goes to standard error. */
static void value_show(struct cli *cli, const json_t *answer)
{
    const struct column *columns = cli->words->command->columns;
    const char *value = json_string_value(json_object_get(answer, columns[0].name));
    for (char *line; (line = line_take(cli, &value)) != NULL;)
        buffer_format(&cli->out, "%s\n", line);
    for (size_t i = 1; i < COMMAND_COLUMNS_MAX && columns[i].title; i++) {
        const json_t *more = json_object_get(answer, columns[i].name);
        if (more && !json_is_null(more))
            more_say(cli, columns[i].title, more);
        else if (columns[i].flags & COLUMN_NEVER)
            cli_say("%s: never", columns[i].title);
    }
}

static unsigned flags_of(const struct cli *cli)
{
    bool is_wide = text_equal(words_option(cli->words, OPTION_OUTPUT), "wide");
    return (cli->has_colour ? (unsigned)SHOW_COLOUR : 0) | (is_wide ? (unsigned)SHOW_WIDE : 0);
}

static void table_show(struct cli *cli, json_t *answer)
{
    const struct command_row *command = cli->words->command;
    const json_t *items = json_object_get(answer, "items");
    if (command->flags & COMMAND_PLAIN) {
        value_show(cli, answer);
    } else if (!command->columns[0].title) {
        show_object(&cli->out, answer);
    } else if (items) {
        show_table(&cli->out, items, command->columns, flags_of(cli));
    } else {
        CLEANUP(json_decref_at) json_t *one = json_array();
        if (json_array_append(one, answer) != 0)
            bug("no row");
        show_table(&cli->out, one, command->columns, flags_of(cli));
    }
}

bool plain_is_table(const struct cli *cli)
{
    const char *output = words_option(cli->words, OPTION_OUTPUT);
    return !output || text_equal(output, "table") || text_equal(output, "wide");
}

void plain_show(struct cli *cli, json_t *answer)
{
    const char *output = words_option(cli->words, OPTION_OUTPUT);
    if (text_equal(output, "json"))
        show_json(&cli->out, answer);
    else if (text_equal(output, "yaml"))
        show_yaml(&cli->out, answer);
    else
        table_show(cli, answer);
    json_decref(answer);
}

int plain_send(struct cli *cli, const struct api_call *call)
{
    struct err err;
    json_t *answer = NULL;
    if (!api_send(cli, call, &answer, &err))
        return cli_fail(cli, &err);
    plain_show(cli, answer);
    return EXIT_DONE;
}

/* ---- lists ---- */

static bool page_add(struct cli *cli, const char *path, int64_t rows, json_t *items,
                     const char **cursor, struct err *err)
{
    CLEANUP(json_decref_at) json_t *page = NULL;
    const char *number = mem_format(cli->owner, "%lld", (long long)rows);
    const char *whole =
        api_query(cli->owner, api_query(cli->owner, path, "limit", number), "cursor", *cursor);
    const struct api_call call = {.method = "GET", .path = whole};
    if (!api_send(cli, &call, &page, err))
        return false;
    json_t *more = json_object_get(page, "items");
    const char *next = json_string_value(json_object_get(page, "next"));
    if (!json_is_array(more))
        return err_set(err, ERR_UNAVAILABLE, "the server sent no list");
    *cursor = next ? mem_text(cli->owner, next) : NULL;
    if (json_array_extend(items, more) != 0)
        bug("no items");
    return true;
}

bool plain_list(struct cli *cli, const char *path, json_t **out, struct err *err)
{
    int64_t left = words_has(cli->words, OPTION_ALL) ? ITEMS_MAX : PAGE_ROWS;
    const char *typed = words_option(cli->words, OPTION_CURSOR), *cursor = typed;
    CLEANUP(json_decref_at) json_t *items = json_array();
    if (!option_number(cli, OPTION_LIMIT, 1, ITEMS_MAX, &left, err))
        return false;
    do {
        size_t before = json_array_size(items);
        if (!page_add(cli, path, left < PAGE_ROWS_MAX ? left : PAGE_ROWS_MAX, items, &cursor,
                      err)) {
            cli->is_usage =
                cli->is_usage || (err->kind == ERR_BAD_INPUT && typed && cursor == typed);
            return false;
        }
        left -= (int64_t)(json_array_size(items) - before);
        if (json_array_size(items) == before)
            break;
    } while (cursor && left > 0);
    if (cursor)
        cli_say("There is more: --all shows everything, --cursor %s goes on.", cursor);
    *out = json_pack("{s:O, s:s?}", "items", items, "next", cursor);
    return *out ? true : err_set(err, ERR_INTERNAL, "the list cannot be put together");
}

static int list_run(struct cli *cli)
{
    static const struct {
        enum option_id option;
        const char *name, *value; /* NULL: the option's own */
    } filters[] = {
        {OPTION_QUERY, "q", NULL},
        {OPTION_COMPLIANCE, "compliance", NULL},
        {OPTION_LEFT, "left", "true"},
        {OPTION_SHUT_OUT, "shut_out", "true"},
    };
    struct err err;
    json_t *list = NULL;
    const struct words *words = cli->words;
    const char *path = api_path(cli->owner, words->command->path, words->holes, words->hole_count);
    for (size_t i = 0; i < COUNT(filters); i++) {
        const char *given = words_option(words, filters[i].option);
        path = api_query(cli->owner, path, filters[i].name,
                         given && filters[i].value ? filters[i].value : given);
    }
    bool has_pages = words->command->options & OPTION(LIMIT);
    const struct api_call call = {.method = "GET", .path = path};
    if (has_pages ? !plain_list(cli, path, &list, &err) : !api_send(cli, &call, &list, &err))
        return cli_fail(cli, &err);
    plain_show(cli, list);
    return EXIT_DONE;
}

/* ---- acts ---- */

/* New reference, or NULL. */
static json_t *file_text(const struct cli *cli, const char *path, struct err *err)
{
    struct bytes content;
    if (!input_read(cli->owner, path, FILE_SIZE_MAX, &content, err))
        return NULL;
    json_t *text = json_stringn((const char *)content.data, content.size);
    if (!text)
        (void)err_set(err, ERR_BAD_INPUT, "%s is not UTF-8", input_name(path));
    return text;
}

static json_t *part_value(const struct cli *cli, const struct body_part *part, const char *text,
                          struct err *err)
{
    int64_t number = 0;
    switch (part->type) {
    case PART_TEXT: break;
    case PART_TRUE: return json_true();
    case PART_INTEGER:
        return number_parse(bytes_text(text), INT64_MIN, INT64_MAX, &number, err)
                   ? json_integer(number)
                   : NULL;
    case PART_FILE: return file_text(cli, text, err);
    case PART_NEVER: return json_true();
    case PART_EXPIRY:
    case PART_EXPIRY_OR_NEVER:
        return duration_parse(text, &number, err)
                   ? json_string(time_text(cli->owner, cli->now + number))
                   : NULL;
    }
    json_t *string = json_string(text);
    if (!string)
        (void)err_set(err, ERR_BAD_INPUT, "%s is not UTF-8", part->name);
    return string;
}

/* What stands for it on the command line; NULL: nothing. */
static const char *part_text(const struct cli *cli, const struct body_part *part, const char *name)
{
    if (text_equal(part->fixed, "{}"))
        return name;
    if (text_equal(part->fixed, "{2}"))
        return cli->words->holes[1];
    const char *text = part->fixed ? part->fixed : words_option(cli->words, part->option);
    bool is_never = text_equal(text, "never");
    return (part->type == PART_NEVER && !is_never) ||
                   (part->type == PART_EXPIRY_OR_NEVER && is_never)
               ? NULL
               : text;
}

bool plain_body(const struct cli *cli, const char *name, json_t **out, struct err *err)
{
    CLEANUP(json_decref_at) json_t *body = json_object();
    const struct body_part *parts = cli->words->command->body;
    for (size_t i = 0; i < COMMAND_PARTS_MAX && parts[i].name; i++) {
        const char *text = part_text(cli, &parts[i], name);
        json_t *value = text ? part_value(cli, &parts[i], text, err) : NULL;
        if (text && !value)
            return false;
        if (value)
            json_set(body, parts[i].name, value);
    }
    *out = json_incref(body);
    return true;
}

static void say_done(const struct cli *cli, const char *name)
{
    const char *done = cli->words->command->done;
    const char *hole = done ? strstr(done, "%s") : NULL;
    if (hole)
        cli_say("%.*s%s%s", (int)(hole - done), done, show_safe(cli->owner, name), hole + 2);
}

/* One request for the names from `first` on. */
static bool act(struct cli *cli, size_t first, json_t **out, struct err *err)
{
    const struct words *words = cli->words;
    const struct command_row *command = words->command;
    const char *name = words->hole_count > 0 ? api_name(words->holes[first]) : "";
    struct target target = {.id = name, .name = show_safe(cli->owner, name)};
    CLEANUP(json_decref_at) json_t *body = NULL;
    bool has_body = command->body[0].name != NULL;
    if ((has_body && !plain_body(cli, name, &body, err)) || !target_can_ask(cli, err) ||
        (command->flags & COMMAND_DEVICE && !target_find(cli, words->holes[first], &target, err)))
        return false;
    size_t count = words->hole_count - first;
    const char **names = mem_array(cli->owner, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = i == 0 ? target.id : words->holes[first + i];
    const struct api_call call = {.method = command->method,
                                  .path = api_path(cli->owner, command->path, names, count),
                                  .body = body};
    if (!target_confirm(cli, &target, err) || !api_send(cli, &call, out, err))
        return false;
    if (command->flags & COMMAND_SILENT)
        say_done(cli, name);
    return true;
}

int plain_result(size_t count, size_t failed, int code)
{
    return failed == 0 ? EXIT_DONE : failed < count ? EXIT_PARTIAL : code;
}

/* "DEVICE...": one request each; an object for one name, a list for several. */
static int acts_run(struct cli *cli)
{
    int code = EXIT_DONE;
    size_t failed = 0;
    size_t count = cli->words->hole_count;
    CLEANUP(json_decref_at) json_t *items = json_array();
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        json_t *answer = NULL;
        if (act(cli, i, &answer, &err)) {
            if (json_array_append_new(items, answer) != 0)
                bug("no answer");
            continue;
        }
        failed++;
        if (count > 1)
            (void)err_context(&err, "%s", show_safe(cli->owner, cli->words->holes[i]));
        code =
            err.kind == ERR_BAD_INPUT && !cli->client ? cli_usage(cli, &err) : cli_fail(cli, &err);
    }
    if (!(cli->words->command->flags & COMMAND_SILENT) && count == 1 && failed == 0)
        plain_show(cli, json_incref(json_array_get(items, 0)));
    else if (!(cli->words->command->flags & COMMAND_SILENT) && failed < count)
        plain_show(cli, json_pack("{s:O}", "items", items));
    return plain_result(count, failed, code);
}

int plain_run(struct cli *cli)
{
    struct err err = {0};
    json_t *answer = NULL;
    const struct command_row *command = cli->words->command;
    if (command->flags & COMMAND_LIST)
        return list_run(cli);
    if (command->holes && strstr(command->holes, "..."))
        return acts_run(cli);
    if (!act(cli, 0, &answer, &err))
        return err.kind == ERR_BAD_INPUT && !cli->client ? cli_usage(cli, &err)
                                                         : cli_fail(cli, &err);
    if (command->flags & COMMAND_SILENT)
        json_decref(answer);
    else
        plain_show(cli, answer);
    return EXIT_DONE;
}
