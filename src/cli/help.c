/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include "base/mem.h"
#include "cli/words.h"

static void option_write(struct buffer *out, enum option_id option)
{
    const struct option_row *row = &option_rows[option];
    buffer_text(out, "  ");
    if (row->letter)
        buffer_format(out, "-%c, ", row->letter);
    buffer_format(out, "--%s%s%s\n      %s\n", row->name, row->value ? " " : "",
                  row->value ? row->value : "", row->help);
}

static void needs_write(struct buffer *out, uint64_t needs)
{
    const char *before = " ";
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++) {
        if (!(needs & UINT64_C(1) << i))
            continue;
        buffer_format(out, "%s--%s %s", before, option_rows[i].name, option_rows[i].value);
        before = "|";
    }
}

static void command_write(struct buffer *out, const struct command_row *command)
{
    buffer_format(out, "  %s%s%s", command->words, command->holes ? " " : "",
                  command->holes ? command->holes : "");
    needs_write(out, command->needs);
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        if (command->options & ~command->needs & UINT64_C(1) << i)
            buffer_format(out, " [--%s%s%s]", row->name, row->value ? " " : "",
                          row->value ? row->value : "");
    }
    buffer_format(out, "\n      %s\n", command->help);
}

static uint64_t commands_write(struct buffer *out, const char *topic, size_t *count)
{
    uint64_t options = 0;
    const struct command_row *row = NULL;
    *count = 0;
    for (size_t i = 0; (row = command_row_at(i)); i++) {
        if (!words_begin(row->words, topic))
            continue;
        command_write(out, row);
        options |= row->options;
        (*count)++;
    }
    return options;
}

void help_write(struct buffer *out, const char *topic)
{
    size_t count;
    buffer_format(out, "usage: muster %s [OPTION...]\n\n",
                  topic[0] ? topic : "NOUN VERB [NAME...]");
    uint64_t options = commands_write(out, topic, &count);
    buffer_text(out, "\nOptions:\n");
    for (size_t i = OPTION_FIRST_OWN; i < OPTION_COUNT; i++)
        if (options & UINT64_C(1) << i)
            option_write(out, (enum option_id)i);
    for (size_t i = 0; i < OPTION_FIRST_OWN; i++)
        option_write(out, (enum option_id)i);
}
