// SPDX-License-Identifier: BSD-2-Clause
// From what was typed to what is meant.

#include "cli/settings.h"

#include "base/diag.h"
#include "base/units.h"
#include "cli/files0.h"
#include "cli/limits.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/processors.h"
#include "cli/settings_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_RECORD_DEFAULT (UINT64_C(1) << 30)

// So much that nobody needs more, and so little that sums of sizes cannot overflow.
#define SIZE_LIMIT (UINT64_C(1) << 50)
#define SIZE_ALLOWED "a SIZE such as 64K, 1M, 2G or 5MB, from 1 to 1024T"

#define LINES_MAX UINT64_C(1000000000)
#define LINES_ALLOWED "a number of lines from 1 to 1000000000"

#define ARGS_ALONE "each operand is a record"
#define REPLAY_ALONE "each dead letter holds a whole record"

#define JOBS_MAX UINT64_C(10000)
#define JOBS_ALLOWED                                                                               \
    "N, N% of the processors, +N or -N relative to them, or 0 for the most; at most 10000"

#define RETRIES_MAX 1000000
#define RETRIES_ALLOWED "a number of attempts from 0 to 1000000"

#define BUFFER_DEFAULT (UINT64_C(64) << 20)
#define BUFFER_PER_WORKER (UINT64_C(4) << 20)

// A block should fit in a core's own cache together with what comes out of it.
#define BLOCK_SIZE ((size_t)256 * 1024)
// To hand a block to another process and back costs as much as the search of a part of it.
#define FORKED_BLOCK_SIZE ((size_t)512 * 1024)
// Most filters are worth their start if they get so much at a time.
#define BATCH_BLOCK_SIZE ((size_t)8 * 1024 * 1024)
// But with this records that are told apart by level or key are not hidden for long in the block
// that is being filled, and what is noted of each takes little of the budget.
#define TOLD_APART_BLOCK_SIZE ((size_t)1024 * 1024)
#define BLOCK_SIZE_MIN ((size_t)4 * 1024)

bool refuse(enum option_id id, const char *value, const char *allowed)
{
    char option[OPTION_TEXT_SIZE];
    diag_error("bad value '%s' for %s: allowed is %s", value, option_text(id, option), allowed);
    return false;
}

bool refuse_dash(enum option_id id, const char *value)
{
    char option[OPTION_TEXT_SIZE];
    diag_error("bad value '%s' for %s: it begins with '-'; if it is meant, write './%s'", value,
               option_text(id, option), value);
    return false;
}

bool set_duration(int64_t *ns, const struct options *options, enum option_id id, int64_t standard)
{
    const char *text = options->values[id];
    *ns = standard;
    if (text != NULL && (units_parse_duration(text, ns) != 0 || *ns == 0)) {
        return refuse(id, text, "a DUR such as 500ms, 2s, 1.5m or 1h, more than 0");
    }
    return true;
}

static int parse_escape(const char *text)
{
    if (text[0] == 'x' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]) &&
        text[3] == '\0') {
        return (int)strtol(text + 1, NULL, 16);
    }
    if (strlen(text) != 1) {
        return -1;
    }
    switch (text[0]) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case '0':
        return '\0';
    case '\\':
        return '\\';
    default:
        return -1;
    }
}

// The byte that a value of -d stands for, -1 if it is not exactly one.
static int parse_byte(const char *text)
{
    if (strlen(text) == 1) {
        return (unsigned char)text[0];
    }
    return text[0] == '\\' ? parse_escape(text + 1) : -1;
}

static bool set_records(struct settings *settings, const struct options *options)
{
    const char *delimiter = options->values[OPTION_DELIMITER];
    const char *max = options->values[OPTION_MAX_RECORD];

    settings->no_decompress = options->values[OPTION_NO_DECOMPRESS] != NULL;
    settings->delimiter = '\n';
    if (delimiter != NULL) {
        int byte = parse_byte(delimiter);
        if (byte < 0) {
            return refuse(OPTION_DELIMITER, delimiter, "one byte, or \\t \\0 \\n \\\\ \\xHH");
        }
        settings->delimiter = (char)byte;
    }
    settings->max_record = MAX_RECORD_DEFAULT;
    if (max != NULL &&
        (units_parse_size(max, &settings->max_record) != 0 || settings->max_record > SIZE_LIMIT)) {
        return refuse(OPTION_MAX_RECORD, max, SIZE_ALLOWED);
    }
    return true;
}

// A number of lines that an option gives, if it is there.
static bool set_lines(const struct options *options, enum option_id id, size_t *lines)
{
    const char *text = options->values[id];
    uint64_t n = 0;
    if (text == NULL) {
        return true;
    }
    if (units_parse_count(text, 1, LINES_MAX, &n) != 0) {
        return refuse(id, text, LINES_ALLOWED);
    }
    *lines = (size_t)n;
    return true;
}

// Options that cannot be together, and why.
static const struct {
    enum option_id one, other;
    const char *why;
} exclusive[] = {
    {OPTION_ARGS, OPTION_FILES0_FROM, ARGS_ALONE},
    {OPTION_ARGS, OPTION_HEADER, ARGS_ALONE},
    {OPTION_ARGS, OPTION_RECORD_LINES, ARGS_ALONE},
    {OPTION_ARGS, OPTION_RECORD_START, ARGS_ALONE},
    {OPTION_ARGS, OPTION_REPLAY, ARGS_ALONE},
    {OPTION_RECORD_LINES, OPTION_RECORD_START, "each tells what a record is"},
    {OPTION_REPLAY, OPTION_HEADER, REPLAY_ALONE},
    {OPTION_REPLAY, OPTION_RECORD_LINES, REPLAY_ALONE},
    {OPTION_REPLAY, OPTION_RECORD_START, REPLAY_ALONE},
};

static bool are_exclusive(const struct options *options)
{
    for (size_t i = 0; i < sizeof(exclusive) / sizeof(exclusive[0]); i++) {
        enum option_id one = exclusive[i].one, other = exclusive[i].other;
        if (options->values[one] != NULL && options->values[other] != NULL) {
            diag_error("--%s and --%s cannot be together: %s", option_table[one].name,
                       option_table[other].name, exclusive[i].why);
            return true;
        }
    }
    return false;
}

static bool set_framing(struct settings *settings, const struct options *options)
{
    settings->record_lines = 1;
    settings->record_start = options->values[OPTION_RECORD_START];
    return !are_exclusive(options) &&
           set_lines(options, OPTION_RECORD_LINES, &settings->record_lines);
}

static bool set_header(struct settings *settings, const struct options *options)
{
    const char *out = options->values[OPTION_HEADER_OUT];
    if (!set_lines(options, OPTION_HEADER, &settings->header_lines)) {
        return false;
    }
    if (out != NULL && settings->header_lines == 0) {
        diag_error("--header-out is for inputs that have a header: --header is missing");
        return false;
    }
    if (out != NULL && strcmp(out, "0") != 0) {
        return refuse(OPTION_HEADER_OUT, out, "0: outputs have no header");
    }
    settings->header_out = settings->header_lines > 0 && out == NULL && !settings->count;
    return true;
}

static bool set_operations(struct settings *settings, const struct options *options)
{
    settings->operations = options->operations;
    settings->operation_count = options->operation_count;
    settings->ignore_case = options->values[OPTION_IGNORE_CASE] != NULL;
    settings->fixed_strings = options->values[OPTION_FIXED_STRINGS] != NULL;
    settings->utf = options->values[OPTION_UTF] != NULL;
    settings->count = options->values[OPTION_COUNT_ONLY] != NULL;
    settings->plugins = options->values[OPTION_PLUGIN] != NULL;
    if (settings->count && options->values[OPTION_PRINT] != NULL) {
        diag_error("--count and --print cannot be together: only a number is printed");
        return false;
    }
    return true;
}

static int parse_percent(const char *text, size_t len, uint64_t *percent)
{
    char digits[24];
    if (len >= sizeof(digits)) {
        return -1;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    return units_parse_count(digits, 0, JOBS_MAX * 100, percent);
}

// Workers of -j0. What waits for processes needs no processor meanwhile.
static unsigned most_jobs(const struct settings *settings)
{
    unsigned allowed =
        settings->mode != MODE_NONE ? limits_workers(BUFFER_PER_WORKER) : settings->processors;
    return allowed < JOBS_MAX ? allowed : (unsigned)JOBS_MAX;
}

// The number of workers that a value of -j comes to, before it is bounded.
static int parse_jobs(const struct settings *settings, const char *text, uint64_t *jobs)
{
    size_t len = strlen(text);
    uint64_t n, processors = settings->processors;

    if (len > 0 && text[len - 1] == '%') {
        if (parse_percent(text, len - 1, &n) != 0) {
            return -1;
        }
        *jobs = processors * n / 100;
    } else if (*text == '+' || *text == '-') {
        if (units_parse_count(text + 1, 0, JOBS_MAX, &n) != 0) {
            return -1;
        }
        *jobs = *text == '+' ? processors + n : n < processors ? processors - n : 0;
    } else {
        if (units_parse_count(text, 0, JOBS_MAX, &n) != 0) {
            return -1;
        }
        *jobs = n != 0 ? n : most_jobs(settings);
    }
    return 0;
}

static bool set_workers(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_JOBS];
    uint64_t jobs = settings->processors = processors_available();

    if (text != NULL && (parse_jobs(settings, text, &jobs) != 0 || jobs > JOBS_MAX)) {
        return refuse(OPTION_JOBS, text, JOBS_ALLOWED);
    }
    settings->jobs = jobs > 0 ? (unsigned)jobs : 1;
    // Our own operations only compete for the processors, processes and plugins may also wait.
    bool waits = settings->mode != MODE_NONE || settings->plugins;
    settings->threads =
        !waits && settings->jobs > settings->processors ? settings->processors : settings->jobs;
    return true;
}

// Before COMMAND is known.
static bool set_pool(struct settings *settings, const struct options *options)
{
    const char *pool = options->values[OPTION_POOL];
    if (pool != NULL && strcmp(pool, "thread") != 0 && strcmp(pool, "process") != 0) {
        return refuse(OPTION_POOL, pool, "thread or process");
    }
    settings->pool = pool != NULL && strcmp(pool, "process") == 0 ? POOL_PROCESS : POOL_THREAD;
    if (settings->pool == POOL_PROCESS && settings->plugins && options->command != NULL) {
        diag_error("--pool=process and --plugin cannot be together with a COMMAND: give that a "
                   "pproc of its own, as in pproc --pool=process --plugin=... | pproc -- COMMAND");
        return false;
    }
    return true;
}

// If there is memory for it.
static size_t largest_block(const struct settings *settings)
{
    if (settings->mode == MODE_BATCH) {
        return settings->classified || settings->keyed ? TOLD_APART_BLOCK_SIZE : BATCH_BLOCK_SIZE;
    }
    return settings_forks(settings) ? FORKED_BLOCK_SIZE : BLOCK_SIZE;
}

static bool set_memory(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_BUFFER_SIZE];
    uint64_t size = BUFFER_DEFAULT + BUFFER_PER_WORKER * settings->jobs;
    size_t blocks = 2 + 2 * (size_t)settings->threads;
    // What a batch puts out should fit in what a worker has for it.
    size_t fitting =
        settings->mode == MODE_BATCH ? SETTINGS_OUTPUT_PART * (size_t)settings->threads : blocks;

    if (text != NULL && (units_parse_size(text, &size) != 0 || size > SIZE_LIMIT)) {
        return refuse(OPTION_BUFFER_SIZE, text, SIZE_ALLOWED);
    }
    if (!settings->exact_blocks) {
        settings->block_size = largest_block(settings);
        while (settings->block_size > BLOCK_SIZE_MIN && fitting * settings->block_size > size) {
            settings->block_size /= 2;
        }
    }
    settings->buffer_raised = blocks * settings->block_size > size;
    if (settings->buffer_raised) {
        size = blocks * settings->block_size;
    }
    settings->buffer_size = size < SIZE_MAX / 2 ? (size_t)size : SIZE_MAX / 2;
    return true;
}

static bool set_queue(struct settings *settings, const struct options *options)
{
    const char *text = options->values[OPTION_QUEUE_SIZE];
    uint64_t records = 0;
    if (text != NULL && units_parse_count(text, 1, SIZE_MAX, &records) != 0) {
        return refuse(OPTION_QUEUE_SIZE, text, "a number of records, at least 1");
    }
    settings->queue_size = (size_t)records;
    return true;
}

// PPROC_DRIVE is for tests: what has to come out is the same whoever reads and writes.
static bool set_drive(struct settings *settings)
{
    const char *drive = getenv("PPROC_DRIVE");
    if (drive == NULL || *drive == '\0') {
        drive = "self-serve";
    }
    if (strcmp(drive, "self-serve") != 0 && strcmp(drive, "threaded") != 0) {
        diag_error("bad value '%s' of PPROC_DRIVE: allowed is self-serve or threaded", drive);
        return false;
    }
    // A worker that reads or writes itself would keep what is tried again waiting, and one that
    // blocks in a plugin would hold a role while others could have it.
    bool waits = settings->queue_size > 0 || settings->rate.records > 0 || settings->classified ||
                 settings->keyed || settings->retries > 0 ||
                 (settings->plugins && settings->threads > settings->processors);
    settings->self_serve =
        !waits && settings->mode == MODE_NONE && strcmp(drive, "self-serve") == 0;
    return true;
}

static bool set_tmpdir(struct settings *settings, const struct options *options)
{
    const char *dir = options->values[OPTION_TMPDIR];
    struct stat status;

    if (dir == NULL) {
        const char *standard = getenv("TMPDIR");
        settings->tmpdir = standard != NULL && *standard != '\0' ? standard : "/tmp";
        return true;
    }
    if (*dir == '-') {
        return refuse_dash(OPTION_TMPDIR, dir);
    }
    int error = stat(dir, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (error != 0) {
        diag_error("bad value '%s' for --tmpdir (-T): allowed is a directory: %s", dir,
                   strerror(error));
        return false;
    }
    settings->tmpdir = dir;
    return true;
}

// The file that an option names, if it is given.
bool set_file(const char **file, const struct options *options, enum option_id id)
{
    const char *value = options->values[id];
    if (value != NULL && *value == '\0') {
        return refuse(id, value, "the name of a file");
    }
    if (value != NULL && *value == '-') {
        return refuse_dash(id, value);
    }
    *file = value;
    return true;
}

static bool set_retries(struct settings *settings, const struct options *options)
{
    const char *retries = options->values[OPTION_RETRIES];
    const char *retry_on = options->values[OPTION_RETRY_ON];
    const char *backoff = options->values[OPTION_BACKOFF];
    uint64_t count = 0;

    if (retries == NULL && (retry_on != NULL || backoff != NULL)) {
        diag_error("--%s has nothing to do without --retries",
                   retry_on != NULL ? "retry-on" : "backoff");
        return false;
    }
    if (retries != NULL && units_parse_count(retries, 0, RETRIES_MAX, &count) != 0) {
        return refuse(OPTION_RETRIES, retries, RETRIES_ALLOWED);
    }
    settings->retries = (unsigned)count;
    settings->retry_on.errors = RETRY_ON_ALL;
    if (retry_on != NULL && policy_parse_retry_on(retry_on, &settings->retry_on) != 0) {
        return refuse(OPTION_RETRY_ON, retry_on, RETRY_ON_ALLOWED);
    }
    backoff = backoff != NULL ? backoff : BACKOFF_DEFAULT;
    if (policy_parse_backoff(backoff, &settings->backoff) != 0) {
        return refuse(OPTION_BACKOFF, backoff, BACKOFF_ALLOWED);
    }
    return true;
}

static bool set_failures(struct settings *settings, const struct options *options)
{
    const char *format = options->values[OPTION_DEAD_LETTER_FORMAT];
    const char *halt = options->values[OPTION_HALT];

    settings->replay = options->values[OPTION_REPLAY] != NULL;
    if (halt != NULL && policy_parse_halt(halt, &settings->halt) != 0) {
        return refuse(OPTION_HALT, halt, HALT_ALLOWED);
    }
    if (!set_file(&settings->dead_letter, options, OPTION_DEAD_LETTER)) {
        return false;
    }
    if (format == NULL) {
        return true;
    }
    if (strcmp(format, "jsonl") != 0 && strcmp(format, "raw") != 0) {
        return refuse(OPTION_DEAD_LETTER_FORMAT, format, "jsonl or raw");
    }
    if (settings->dead_letter == NULL) {
        diag_error("--dead-letter-format has nothing to do without --dead-letter");
        return false;
    }
    settings->letter_format = strcmp(format, "raw") == 0 ? LETTERS_RAW : LETTERS_JSONL;
    return true;
}

static bool set_output(struct settings *settings, const struct options *options)
{
    const char *file = options->values[OPTION_OUTPUT];

    settings->ordered = options->values[OPTION_UNORDERED] == NULL;
    settings->ends_all = !settings->ordered;
    if (file != NULL && strcmp(file, "-") == 0) {
        return true;
    }
    return set_file(&settings->output, options, OPTION_OUTPUT);
}

static bool set_progress(struct settings *settings, const struct options *options)
{
    static const char *const modes[] = {"auto", "always", "never"}; // by enum progress_mode
    const char *mode = options->values[OPTION_PROGRESS];

    while (mode != NULL && strcmp(mode, modes[settings->progress]) != 0) {
        if (++settings->progress == sizeof(modes) / sizeof(modes[0])) {
            return refuse(OPTION_PROGRESS, mode, "auto, always or never");
        }
    }
    return true;
}

static bool set_report(struct settings *settings, const struct options *options)
{
    const char *format = options->values[OPTION_STATS];

    settings->explain = options->values[OPTION_EXPLAIN] != NULL;
    settings->quiet = options->values[OPTION_QUIET] != NULL;
    if (format == NULL) {
        settings->stats = STATS_NONE;
    } else if (strcmp(format, "text") == 0) {
        settings->stats = STATS_TEXT;
    } else if (strcmp(format, "json") == 0) {
        settings->stats = STATS_JSON;
    } else {
        return refuse(OPTION_STATS, format, "text or json");
    }
    return true;
}

static bool set_files_from(struct settings *settings, const struct options *options,
                           const char *from)
{
    if (*from == '-' && strcmp(from, "-") != 0) {
        return refuse_dash(OPTION_FILES0_FROM, from);
    }
    if (options->file_count > 0) {
        diag_error("extra operand '%s': with --files0-from all names come from its list",
                   options->files[0]);
        return false;
    }
    return files0_read(from, &settings->file_bytes, &settings->files, &settings->file_count) == 0;
}

static bool set_files(struct settings *settings, const struct options *options)
{
    static char standard_input[] = "-";
    const char *from = options->values[OPTION_FILES0_FROM];

    if (options->values[OPTION_ARGS] != NULL) {
        settings->args = true;
        settings->operands = options->files;
        settings->operand_count = options->file_count;
        return true;
    }
    if (from != NULL) {
        return set_files_from(settings, options, from);
    }
    settings->files = calloc(options->file_count + 1, sizeof(*settings->files));
    if (settings->files == NULL) {
        diag_error("no memory for the names of the inputs");
        return false;
    }
    settings->file_count = options->file_count;
    settings->loose = options->loose;
    settings->loose_from = options->loose_from;
    memcpy(settings->files, options->files, options->file_count * sizeof(*settings->files));
    if (settings->file_count == 0) {
        settings->files[settings->file_count++] = standard_input;
    }
    return true;
}

struct settings *settings_create(const struct options *options)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL) {
        diag_error("no memory for the settings");
        return NULL;
    }
    if (!set_operations(settings, options) || !set_records(settings, options) ||
        !set_framing(settings, options) || !set_header(settings, options) ||
        !set_pool(settings, options) || !set_command(settings, options) ||
        !set_tag(settings, options) || !set_workers(settings, options) ||
        !set_queue(settings, options) || !set_tmpdir(settings, options) ||
        !set_failures(settings, options) || !set_retries(settings, options) ||
        !set_output(settings, options) || !set_scheduling(settings, options) ||
        !set_memory(settings, options) || !set_drive(settings) ||
        !set_progress(settings, options) || !set_report(settings, options) ||
        !set_files(settings, options)) { // last: it may read from standard input
        settings_destroy(settings);
        return NULL;
    }
    return settings;
}

void settings_destroy(struct settings *settings)
{
    if (settings != NULL) {
        for (size_t i = 0; i < settings->priority_count; i++) {
            free((char *)settings->priorities[i].pattern);
        }
        free(settings->priorities);
        free(settings->files);
        free(settings->file_bytes);
        free(settings);
    }
}
