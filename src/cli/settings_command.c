// SPDX-License-Identifier: BSD-2-Clause
// The settings of COMMAND: how its words are read, and which mode they choose.

#include "cli/settings_parts.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/units.h"
#include "cli/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// More than any command line has room for.
#define ARGUMENTS_MAX (UINT64_C(1) << 30)

#define RECORDS_MAX (UINT64_C(1) << 40)
#define KILL_AFTER_DEFAULT (2 * CLOCK_SECOND)

static bool refuse_together(enum option_id a, enum option_id b, const char *reason)
{
    diag_error("--%s and --%s cannot be together: %s", option_table[a].name, option_table[b].name,
               reason);
    return false;
}

// An option that says something of COMMAND has nothing to say without.
static bool check_needless(const struct settings *settings, const struct options *options)
{
    static const enum option_id ids[] = {
        OPTION_EACH,        OPTION_MAX_ARGS,   OPTION_BATCH,   OPTION_SHELL,
        OPTION_REPLACE,     OPTION_DRY_RUN,    OPTION_OK_EXIT, OPTION_BINARY,
        OPTION_NO_SPLIT,    OPTION_KILL_AFTER, OPTION_JOBLOG,  OPTION_KEEP_FAILED,
        OPTION_BATCH_LINES, OPTION_BLOCK,      OPTION_COPROC,  OPTION_RECYCLE,
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (options->values[ids[i]] != NULL) {
            diag_error("--%s needs a COMMAND, behind '--' and all options",
                       option_table[ids[i]].name);
            return false;
        }
    }
    if (options->values[OPTION_TIMEOUT] != NULL && settings->pool != POOL_PROCESS) {
        diag_error("--timeout needs a COMMAND, behind '--' and all options, or --pool=process: a "
                   "thread cannot be ended");
        return false;
    }
    if (options->values[OPTION_COLSEP] != NULL && options->values[OPTION_TAG] == NULL) {
        diag_error("--colsep needs a COMMAND, behind '--' and all options, or --tag=TEMPLATE");
        return false;
    }
    return true;
}

// A process that answers record by record.
static bool check_coproc(const struct options *options)
{
    static const struct {
        enum option_id id;
        const char *reason;
    } others[] = {
        {OPTION_BATCH, "they are different modes"},
        {OPTION_EACH, "they are different modes"},
        {OPTION_MAX_ARGS, "a filter gets no record as argument"},
        {OPTION_BINARY, "what ends in a delimiter is a reply"},
        {OPTION_NO_SPLIT, "what a process has not answered runs again, in parts"},
        {OPTION_RECORD_LINES, "what ends in a delimiter is a reply"},
        {OPTION_RECORD_START, "what ends in a delimiter is a reply"},
    };
    const char *const *values = options->values;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && values[OPTION_COPROC] != NULL;
         i++) {
        if (values[others[i].id] != NULL) {
            return refuse_together(OPTION_COPROC, others[i].id, others[i].reason);
        }
    }
    if (values[OPTION_RECYCLE] != NULL && values[OPTION_COPROC] == NULL) {
        diag_error("--recycle needs --coproc: other processes end anyway");
        return false;
    }
    return true;
}

static bool check_together(const struct options *options)
{
    const char *const *values = options->values;
    if (values[OPTION_COUNT_ONLY] != NULL) {
        diag_error("--count and a COMMAND cannot be together: only a number is printed");
        return false;
    }
    if (values[OPTION_BATCH] != NULL && values[OPTION_EACH] != NULL) {
        return refuse_together(OPTION_BATCH, OPTION_EACH, "they are different modes");
    }
    if (values[OPTION_BATCH] != NULL && values[OPTION_MAX_ARGS] != NULL) {
        return refuse_together(OPTION_BATCH, OPTION_MAX_ARGS,
                               "a filter gets no record as argument");
    }
    if (values[OPTION_SHELL] != NULL && options->command_count != 1) {
        diag_error("--shell takes COMMAND as one argument, not %zu: quote it as a whole",
                   options->command_count);
        return false;
    }
    return check_coproc(options);
}

static bool set_colsep(struct settings *settings, const char *colsep)
{
    if (colsep != NULL && *colsep == '\0') {
        return refuse(OPTION_COLSEP, colsep, "one character, or a regular expression");
    }
    settings->colsep = colsep;
    return true;
}

// Does a header name the columns?
static bool has_names(const struct settings *settings)
{
    return settings->colsep != NULL && settings->header_lines > 0;
}

static bool set_placeholders(struct settings *settings, const struct options *options)
{
    const char *record = options->values[OPTION_REPLACE];
    if (record != NULL && *record == '\0') {
        return refuse(OPTION_REPLACE, record, "a text that stands for the record");
    }
    settings->placeholders = (struct placeholder_syntax){
        .record = record,
        .columns = settings->colsep != NULL,
        .names = has_names(settings),
        .numbers_only =
            options->values[OPTION_BATCH] != NULL || options->values[OPTION_COPROC] != NULL,
    };
    return true;
}

static bool set_max_args(struct settings *settings, const char *text)
{
    uint64_t count = 1;
    if (text != NULL && units_parse_count(text, 1, ARGUMENTS_MAX, &count) != 0) {
        return refuse(OPTION_MAX_ARGS, text, "a number of records, at least 1");
    }
    settings->max_args = (size_t)count;
    settings->many_args = text != NULL;
    return true;
}

// A list of exit statuses and ranges, divided by commas.
static bool set_ok_exit(struct settings *settings, const char *text)
{
    const char *list = text != NULL ? text : "0";
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        if (statuses_parse(&settings->ok_exit, at, len) != 0) {
            return refuse(OPTION_OK_EXIT, list, "a list of exit statuses, as in 0,1 or 0-3");
        }
        at += len;
        if (*at == '\0') {
            return true;
        }
    }
}

static bool set_attempts(struct settings *settings, const struct options *options)
{
    return set_ok_exit(settings, options->values[OPTION_OK_EXIT]) &&
           set_duration(&settings->timeout, options, OPTION_TIMEOUT, 0) &&
           set_duration(&settings->kill_after, options, OPTION_KILL_AFTER, KILL_AFTER_DEFAULT);
}

static bool set_recycle(struct settings *settings, const char *text)
{
    if (text != NULL && units_parse_count(text, 1, RECORDS_MAX, &settings->recycle) != 0) {
        return refuse(OPTION_RECYCLE, text, "a number of records, at least 1");
    }
    return true;
}

// Batches of an exact size.
static bool set_batch(struct settings *settings, const struct options *options)
{
    const char *lines = options->values[OPTION_BATCH_LINES];
    const char *block = options->values[OPTION_BLOCK];
    uint64_t count = 0, size;
    if (lines != NULL && units_parse_count(lines, 1, RECORDS_MAX, &count) != 0) {
        return refuse(OPTION_BATCH_LINES, lines, "a number of records, at least 1");
    }
    if (block != NULL && (units_parse_size(block, &size) != 0 || size > limits_memory())) {
        char allowed[128];
        snprintf(allowed, sizeof(allowed),
                 "a SIZE such as 64K, 1M or 5MB, up to the memory that there is (%" PRIu64 "M)",
                 limits_memory() >> 20);
        return refuse(OPTION_BLOCK, block, allowed);
    }
    if (lines != NULL && block != NULL) {
        return refuse_together(OPTION_BATCH_LINES, OPTION_BLOCK, "each says how large a batch is");
    }
    settings->batch_lines = (size_t)count;
    settings->exact_blocks = block != NULL;
    if (block != NULL) {
        settings->block_size = (size_t)size;
    }
    if ((lines != NULL || block != NULL) && settings->mode != MODE_BATCH) {
        diag_error("--%s needs a COMMAND that is a filter (--batch)",
                   lines != NULL ? "batch-lines" : "block");
        return false;
    }
    return true;
}

__attribute__((format(printf, 3, 4))) static void
choose(struct settings *settings, enum command_mode mode, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    settings->mode = mode;
    vsnprintf(settings->mode_reason, sizeof(settings->mode_reason), format, args);
    va_end(args);
}

// The first placeholder of COMMAND that stands for one record; its length, or 0.
static size_t find_of_record(const struct settings *settings, const char **where)
{
    for (size_t i = 0; i < settings->command_count; i++) {
        struct placeholder found;
        const char *text = settings->command[i];
        size_t at = 0, len;
        while ((len = placeholder_find(&settings->placeholders, text, &at, &found)) > 0) {
            if (placeholder_is_of_record(&found)) {
                *where = text + at;
                return len;
            }
            at += len;
        }
    }
    return 0;
}

static void set_mode(struct settings *settings, const struct options *options)
{
    const char *where = NULL;
    size_t len = find_of_record(settings, &where);
    if (options->values[OPTION_BATCH] != NULL) {
        choose(settings, MODE_BATCH, "--batch");
    } else if (options->values[OPTION_COPROC] != NULL) {
        choose(settings, MODE_COPROC, "--coproc");
    } else if (len > 0) {
        choose(settings, MODE_EACH, "COMMAND has %.*s", len < 40 ? (int)len : 40, where);
    } else if (options->values[OPTION_EACH] != NULL || settings->many_args) {
        choose(settings, MODE_EACH, "%s", settings->many_args ? "-n" : "--each");
        settings->append_record = true;
    } else {
        choose(settings, MODE_BATCH, "COMMAND has no placeholder for a record");
    }
}

bool set_command(struct settings *settings, const struct options *options)
{
    settings->command = options->command;
    settings->command_count = options->command_count;
    if (!set_colsep(settings, options->values[OPTION_COLSEP])) {
        return false;
    }
    if (options->command == NULL) {
        return check_needless(settings, options) &&
               set_duration(&settings->timeout, options, OPTION_TIMEOUT, 0);
    }
    settings->shell = options->values[OPTION_SHELL] != NULL;
    settings->dry_run = options->values[OPTION_DRY_RUN] != NULL;
    settings->no_split = options->values[OPTION_NO_SPLIT] != NULL;
    settings->keep_failed = options->values[OPTION_KEEP_FAILED] != NULL;
    settings->binary = options->values[OPTION_BINARY] != NULL;
    if (!set_file(&settings->joblog, options, OPTION_JOBLOG) || !set_attempts(settings, options) ||
        !check_together(options) || !set_placeholders(settings, options) ||
        !set_max_args(settings, options->values[OPTION_MAX_ARGS]) ||
        !set_recycle(settings, options->values[OPTION_RECYCLE])) {
        return false;
    }
    set_mode(settings, options);
    settings->numbered = true;
    return set_batch(settings, options);
}

// May it stand in a tag? A batch has several records.
static bool check_tag(const struct settings *settings, const struct placeholder *placeholder,
                      const char *text, size_t len)
{
    bool fits = settings->mode != MODE_BATCH || placeholder->value == VALUE_FILE ||
                !placeholder_is_of_record(placeholder);
    if (!fits) {
        diag_error("--tag: %.*s stands for one record, and a batch has several; {#}, {%%} and "
                   "{file} can be used, as in --tag='{#}: '",
                   len < 40 ? (int)len : 40, text);
    }
    return fits;
}

bool set_tag(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_TAG];
    if (text == NULL) {
        return true;
    }
    if (settings->count) {
        return refuse_together(OPTION_TAG, OPTION_COUNT_ONLY, "only a number is printed");
    }
    if (settings->binary) {
        return refuse_together(OPTION_TAG, OPTION_BINARY, "bytes have no lines");
    }
    settings->tag = text;
    settings->tag_placeholders = (struct placeholder_syntax){.columns = settings->colsep != NULL,
                                                             .names = has_names(settings)};
    struct placeholder found;
    size_t at = 0, len;
    while ((len = placeholder_find(&settings->tag_placeholders, text, &at, &found)) > 0) {
        if (!check_tag(settings, &found, text + at, len)) {
            return false;
        }
        settings->numbered |= found.value == VALUE_SEQ || found.value == VALUE_NR;
        at += len;
    }
    return true;
}
