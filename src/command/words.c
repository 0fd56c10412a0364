// SPDX-License-Identifier: BSD-2-Clause
// COMMAND's words.

#include "command/words.h"

#include "base/buf.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "command/columns.h"
#include "command/names.h"
#include "command/shell.h"
#include "plan/regex.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The kernel takes no longer argument, the NUL at its end included (MAX_ARG_STRLEN).
#define ARGUMENT_MAX ((size_t)128 * 1024)

// Nor more of all arguments and the environment, whatever the limit of the stack.
#define ARGUMENTS_MAX ((size_t)6 * 1024 * 1024)

// What the environment of a child has more than ours, and some room to spare.
#define ARGUMENTS_SPARE 4096

#define SAFE_FORM "sh -c '… \"$1\"' sh {}"

struct words {
    struct form *forms; // one for each word
    size_t count;
    bool shell;              // the last word is a text for /bin/sh
    size_t lone;             // the word that becomes several (-n); if there is none: count
    size_t max_records;      // that one process gets
    size_t room;             // bytes that these may take in arguments
    struct columns *columns; // NULL: there are none
    size_t last_column;      // the last one that is asked for; 0: none
};

struct words_state {
    struct columns_state *columns; // once they are asked for
    struct buf bytes;              // of arguments that depend on the record
    char **arguments;              // ended by NULL
    size_t *offsets;               // of those in `bytes`; SIZE_MAX: it is not there
    size_t count, cap;             // arguments, without the NULL
};

// --- compiling

static bool refuse(const char *option, const struct form *form, const struct piece *piece,
                   const char *reason)
{
    regex_refuse(option, reason, form->text, (size_t)(piece->bytes - form->text));
    return false;
}

// Each placeholder in the text for the shell has to stand where a quoted word can.
static bool check_shell(const struct form *form)
{
    struct shell_reader reader;
    shell_reader_init(&reader, form->text);
    for (size_t i = 0; i < form->count; i++) {
        const struct piece *piece = &form->pieces[i];
        if (!piece->blank) {
            continue;
        }
        switch (shell_read_to(&reader, (size_t)(piece->bytes - form->text))) {
        case SHELL_PLAIN:
            shell_read_word(&reader, piece->len);
            break;
        case SHELL_QUOTED:
            return refuse("--shell", form, piece,
                          "a placeholder within quotes, ${ }, a comment or a here-document; "
                          "remove them: it becomes a quoted word by itself");
        case SHELL_UNCLEAR:
            return refuse("--shell", form, piece,
                          "it is not clear how what stands before this placeholder is quoted; "
                          "put it first, as x={}, or use " SAFE_FORM);
        }
    }
    return true;
}

// Without --shell, what a placeholder becomes would run as code in the text of a shell, unless it
// is all of it.
static bool check_code(const struct words *words, char *const *command, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t text = shell_command_text(command, count, i);
        const struct form *form = &words->forms[text];
        if (text == 0 || form->blanks == 0 || form->count == 1) {
            continue;
        }
        size_t blank = form->pieces[0].blank ? 0 : 1;
        return refuse("COMMAND", form, &form->pieces[blank],
                      "a placeholder in the text of a shell would run as code; "
                      "use --shell, or " SAFE_FORM);
    }
    return true;
}

static bool is_number(const struct piece *piece)
{
    return !placeholder_is_of_record(&piece->placeholder);
}

// May {} become several words within this text?
static bool stands_alone(const struct form *form, const struct piece *piece, bool shell)
{
    if (!shell) {
        return form->count == 1;
    }
    const char *ends = " \t\n;&|()";
    return (piece->bytes == form->text || strchr(ends, piece->bytes[-1]) != NULL) &&
           strchr(ends, piece->bytes[piece->len]) != NULL;
}

// With -n: there is one {}, all by itself, and no placeholder but numbers beside it.
static bool find_lone(struct words *words)
{
    bool found = false;
    for (size_t i = 0; i < words->count; i++) {
        const struct form *form = &words->forms[i];
        for (size_t j = 0; j < form->count; j++) {
            const struct piece *piece = &form->pieces[j];
            if (!piece->blank || is_number(piece)) {
                continue;
            }
            if (piece->placeholder.value != VALUE_RECORD || piece->placeholder.part != PART_WHOLE) {
                return refuse("-n", form, piece, "beside {} there can be only {#} and {%}");
            }
            if (found || !stands_alone(form, piece, words->shell)) {
                return refuse("-n", form, piece, "there can be only one {}, an argument by itself");
            }
            found = true;
            words->lone = i;
        }
    }
    return true;
}

// Nothing is a placeholder.
static const struct placeholder_syntax plain = {.record = "", .numbers_only = true};

static int add_form(struct words *words, const char *text, const struct placeholder_syntax *syntax)
{
    return form_init(&words->forms[words->count++], text, syntax);
}

// The record is the last argument.
static int append_record(struct words *words)
{
    if (words->shell) {
        return form_append_record(&words->forms[words->count - 1], " ");
    }
    words->lone = words->count;
    return add_form(words, "", &plain) == 0 ? form_append_record(&words->forms[words->lone], "")
                                            : -1;
}

static int add_forms(struct words *words, const struct settings *settings)
{
    // The shell and its option, or the record, come on top.
    words->forms = calloc(settings->command_count + 2, sizeof(*words->forms));
    words->lone = SIZE_MAX;
    if (words->forms == NULL) {
        return -1;
    }
    if (settings->shell &&
        (add_form(words, "/bin/sh", &plain) != 0 || add_form(words, "-c", &plain) != 0)) {
        return -1;
    }
    for (size_t i = 0; i < settings->command_count; i++) {
        if (add_form(words, settings->command[i], &settings->placeholders) != 0) {
            return -1;
        }
    }
    return settings->append_record ? append_record(words) : 0;
}

static bool check(struct words *words, const struct settings *settings)
{
    if (settings->many_args && !settings->append_record && !find_lone(words)) {
        return false;
    }
    return settings->shell ? check_shell(&words->forms[words->count - 1])
                           : check_code(words, settings->command, settings->command_count);
}

static void note_last_column(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        size_t last = words->forms[i].last_column;
        words->last_column = last > words->last_column ? last : words->last_column;
    }
}

// Where there are columns to be asked for.
static bool add_columns(struct words *words, const struct settings *settings)
{
    note_last_column(words);
    if (settings->colsep != NULL) {
        words->columns = columns_create(settings);
    }
    return settings->colsep == NULL || words->columns != NULL;
}

static size_t exec_room(void)
{
    long limit = sysconf(_SC_ARG_MAX); // grows with the limit of the stack
    size_t room = limit > 0 && (size_t)limit < ARGUMENTS_MAX ? (size_t)limit : ARGUMENTS_MAX;
    size_t used = 0;
    for (char **variable = environ; *variable != NULL; variable++) {
        used += strlen(*variable) + 1 + sizeof(*variable);
    }
    return used < room ? room - used : 0;
}

// Bytes that records may take beside all that is the same for each process.
static size_t room_for_records(const struct words *words)
{
    size_t room = words->shell ? ARGUMENT_MAX : exec_room();
    size_t used = ARGUMENTS_SPARE;
    for (size_t i = 0; i < words->count; i++) {
        used += strlen(words->forms[i].text) + 1 + sizeof(char *);
    }
    return used < room ? room - used : 0;
}

struct words *words_create(const struct settings *settings)
{
    struct words *words = calloc(1, sizeof(*words));
    if (words != NULL) {
        words->shell = settings->shell;
        words->max_records = settings->max_args;
    }
    if (words == NULL || add_forms(words, settings) != 0) {
        diag_error("no memory for the words of COMMAND");
    } else if (check(words, settings) && add_columns(words, settings)) {
        words->room = room_for_records(words);
        return words;
    }
    words_destroy(words);
    return NULL;
}

void words_destroy(struct words *words)
{
    if (words != NULL) {
        for (size_t i = 0; i < words->count; i++) {
            form_destroy(&words->forms[i]);
        }
        free(words->forms);
        columns_destroy(words->columns);
        free(words);
    }
}

int words_set_header(struct words *words, struct iovec line)
{
    if (words->columns == NULL) {
        return 0;
    }
    int status = names_resolve(words->columns, line, words->forms, words->count);
    note_last_column(words);
    return status;
}

const char *words_program(const struct words *words)
{
    return words->forms[0].blanks == 0 ? words->forms[0].text : NULL;
}

// --- making arguments

struct words_state *words_state_create(void)
{
    return calloc(1, sizeof(struct words_state));
}

void words_state_destroy(struct words_state *state)
{
    if (state != NULL) {
        columns_state_destroy(state->columns);
        buf_free(&state->bytes);
        free(state->arguments);
        free(state->offsets);
        free(state);
    }
}

static enum fill_status check_value(struct iovec value)
{
    if (value.iov_len >= ARGUMENT_MAX) {
        return FILL_TOO_LONG; // before it is copied
    }
    return memchr(value.iov_base, '\0', value.iov_len) == NULL ? FILL_DONE : FILL_NUL;
}

static enum fill_status append_plain(struct buf *buf, struct iovec value)
{
    enum fill_status status = check_value(value);
    if (status == FILL_DONE && buf_append(buf, value.iov_base, value.iov_len) != 0) {
        status = FILL_NO_MEMORY;
    }
    return status;
}

static enum fill_status append_quoted(struct buf *buf, struct iovec value)
{
    enum fill_status status = check_value(value);
    if (status == FILL_DONE && shell_quote(buf, value.iov_base, value.iov_len) != 0) {
        status = FILL_NO_MEMORY;
    }
    return status;
}

// Bytes that a record takes as one more argument, or word.
static size_t size_of(const struct words *words, struct iovec record)
{
    if (!words->shell) {
        return record.iov_len + 1 + sizeof(char *);
    }
    const char *bytes = record.iov_base;
    size_t size = record.iov_len + sizeof("'' ");
    for (size_t i = 0; i < record.iov_len; i++) {
        size += bytes[i] == '\'' ? sizeof("'\\''") - 2 : 0;
    }
    return size;
}

// How many records go together: the first one, and those that can be passed and still fit. One that
// cannot be passed stands alone, so that no other one fails with it.
static size_t count_fitting(const struct words *words, const struct values *values)
{
    size_t count = 0, size = strlen(values->file);
    while (count < values->record_count && count < words->max_records) {
        struct iovec record = values->records[count];
        size += size_of(words, record);
        bool passes = check_value(record) == FILL_DONE;
        if (count > 0 && (size > words->room || !passes)) {
            break;
        }
        count++;
        if (!passes) {
            break;
        }
    }
    return count;
}

// Room for `count` arguments and a NULL.
static int reserve(struct words_state *state, size_t count)
{
    if (count < state->cap) {
        return 0;
    }
    size_t cap = count + count / 2 + 8;
    char **arguments = realloc(state->arguments, cap * sizeof(*arguments));
    if (arguments != NULL) {
        state->arguments = arguments;
    }
    size_t *offsets = realloc(state->offsets, cap * sizeof(*offsets));
    if (offsets != NULL) {
        state->offsets = offsets;
    }
    if (arguments == NULL || offsets == NULL) {
        return -1;
    }
    state->cap = cap;
    return 0;
}

static enum fill_status make_argument(const struct words *words, struct words_state *state,
                                      const struct form *form, const struct values *values)
{
    size_t begin = state->bytes.len;
    enum fill_status status = form_fill(form, values, state->columns,
                                        words->shell ? append_quoted : append_plain, &state->bytes);
    if (status != FILL_DONE) {
        return status;
    }
    if (state->bytes.len - begin >= ARGUMENT_MAX) {
        return FILL_TOO_LONG;
    }
    state->offsets[state->count++] = begin;
    return buf_append(&state->bytes, "", 1) == 0 ? FILL_DONE : FILL_NO_MEMORY;
}

// The word that becomes an argument for each record.
static enum fill_status make_lone(const struct words *words, struct words_state *state,
                                  const struct form *form, const struct values *values)
{
    enum fill_status status = FILL_DONE;
    for (size_t i = 0; i < values->record_count && status == FILL_DONE; i++) {
        struct values one = *values;
        one.records += i;
        one.record_count = 1;
        status = make_argument(words, state, form, &one);
    }
    return status;
}

static enum fill_status make_all(const struct words *words, struct words_state *state,
                                 const struct values *values)
{
    enum fill_status status = FILL_DONE;
    for (size_t i = 0; i < words->count && status == FILL_DONE; i++) {
        const struct form *form = &words->forms[i];
        if (form->blanks == 0) {
            state->offsets[state->count] = SIZE_MAX;
            state->arguments[state->count++] = (char *)form->text;
        } else if (i == words->lone && !words->shell) {
            status = make_lone(words, state, form, values);
        } else {
            status = make_argument(words, state, form, values);
        }
    }
    return status;
}

enum fill_status words_make(const struct words *words, struct words_state *state,
                            const struct values *values, size_t *used)
{
    struct values fitting = *values;
    *used = fitting.record_count = count_fitting(words, values);
    state->bytes.len = state->count = 0;
    if (reserve(state, words->count + *used) != 0) {
        return FILL_NO_MEMORY;
    }
    enum fill_status status = FILL_DONE;
    if (words->last_column > 0 && *used > 0) {
        status =
            form_divide(words->columns, words->last_column, &state->columns, values->records[0]);
    }
    if (status == FILL_DONE) {
        status = make_all(words, state, &fitting);
    }
    for (size_t i = 0; i < state->count; i++) {
        if (state->offsets[i] != SIZE_MAX) {
            state->arguments[i] = state->bytes.bytes + state->offsets[i];
        }
    }
    state->arguments[state->count] = NULL;
    return status;
}

char **words_arguments(const struct words_state *state)
{
    return state->arguments;
}

const char *words_error(const struct words_state *state, enum fill_status status)
{
    switch (status) {
    case FILL_NUL:
        return "a NUL cannot be passed in an argument";
    case FILL_TOO_LONG:
        return "an argument of 128 KiB or more cannot be passed";
    case FILL_GAVE_UP:
        return columns_error(state->columns);
    case FILL_NO_MEMORY:
        return "no memory for the arguments";
    case FILL_DONE:
        break;
    }
    return "nothing is wrong";
}

// --- showing them

int words_print(const struct words *words, const struct words_state *state, struct buf *buf)
{
    if (words->shell) {
        const char *text = state->arguments[state->count - 1];
        return buf_append(buf, text, strlen(text));
    }
    int status = 0;
    for (size_t i = 0; i < state->count && status == 0; i++) {
        const char *argument = state->arguments[i];
        if (i > 0) {
            status = buf_append(buf, " ", 1);
        }
        if (status == 0) {
            status = shell_quote_if_needed(buf, argument, strlen(argument));
        }
    }
    return status;
}

size_t words_count(const struct words *words)
{
    return words->count;
}

int words_describe(const struct words *words, size_t i, struct buf *buf)
{
    const struct form *form = &words->forms[i];
    int status = 0;
    for (size_t j = 0; j < form->count && status == 0; j++) {
        const struct piece *piece = &form->pieces[j];
        if (j > 0) {
            status = buf_append(buf, " ", 1);
        }
        if (status == 0 && piece->blank) {
            status = piece->len > 0 ? buf_append(buf, piece->bytes, piece->len)
                                    : buf_append(buf, "{}", 2);
        } else if (status == 0) {
            status = shell_quote_if_needed(buf, piece->bytes, piece->len);
        }
    }
    return status;
}
