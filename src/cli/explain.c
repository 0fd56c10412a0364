// SPDX-License-Identifier: BSD-2-Clause
// --explain: what a run would do.

#include "cli/explain.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli/settings.h"
#include "command/words.h"
#include "plan/plan.h"
#include "pproc-plugin.h"

#include <inttypes.h>

static void print_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%s: ", name);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f) {
            fprintf(out, "\\x%02x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('\n', out);
}

static void print_inputs(FILE *out, const struct settings *settings)
{
    if (settings->args) {
        fprintf(out, "inputs: none (%zu operands are the records)\n", settings->operand_count);
    } else {
        fprintf(out, "inputs: %zu\n", settings->file_count);
    }
    for (size_t i = 0; i < settings->file_count; i++) {
        print_text(out, "input", settings->files[i]);
    }
    if (settings->replay) {
        fprintf(out, "replay: inputs are dead letters\n");
    }
    fprintf(out, "decompress: %s\n", settings->no_decompress ? "no" : "yes");
}

// What becomes of it.
static const char *header_fate(const struct settings *settings)
{
    bool batch = settings->mode == MODE_BATCH;
    if (settings->mode != MODE_NONE && !batch) {
        return "not put out";
    }
    if (!settings->header_out) {
        return batch ? "given to each batch, outputs have none" : "not put out";
    }
    return batch ? "given to each batch, put out once" : "put out once";
}

static void print_records(FILE *out, const struct settings *settings)
{
    fprintf(out, "delimiter: \\x%02x\n", (unsigned char)settings->delimiter);
    if (settings->record_lines > 1) {
        fprintf(out, "record-lines: %zu\n", settings->record_lines);
    }
    if (settings->record_start != NULL) {
        print_text(out, "record-start", settings->record_start);
    }
    if (settings->header_lines > 0) {
        fprintf(out, "header: %zu line%s, %s\n", settings->header_lines,
                settings->header_lines == 1 ? "" : "s", header_fate(settings));
    }
    fprintf(out, "max-record: %" PRIu64 " bytes\n", settings->max_record);
}

static const char *operation_name(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_MATCH:
        return "match";
    case OPERATION_EXCLUDE:
        return "exclude";
    case OPERATION_SUBST:
        return "subst";
    case OPERATION_PRINT:
        return "print";
    case OPERATION_PLUGIN:
        return "plugin";
    }
    return "unknown";
}

static void print_plugin(FILE *out, const struct pproc_plugin *plugin)
{
    print_text(out, "plugin-name", plugin->name);
    print_text(out, "plugin-version", plugin->version);
}

static void print_plan(FILE *out, const struct settings *settings, const struct plan *plan)
{
    fprintf(out, "operations: %zu%s\n", settings->operation_count,
            settings->operation_count == 0 ? " (records pass through)" : "");
    for (size_t i = 0; i < settings->operation_count; i++) {
        const struct operation *operation = &settings->operations[i];
        print_text(out, operation_name(operation->kind), operation->pattern);
        if (operation->kind == OPERATION_PLUGIN && plan != NULL) {
            print_plugin(out, plan_plugin(plan, i));
        }
    }
    if (settings->operation_count > 0) {
        fprintf(out, "patterns: %s, %s, %s\n",
                settings->fixed_strings ? "fixed strings" : "regular expressions",
                settings->ignore_case ? "ignoring case" : "case counts",
                settings->utf ? "on characters of UTF-8" : "on bytes");
    }
    if (settings->count) {
        fprintf(out, "count: only how many records there would be\n");
    }
}

static const char *mode_name(enum command_mode mode)
{
    switch (mode) {
    case MODE_NONE:
        return "none";
    case MODE_EACH:
        return "each";
    case MODE_BATCH:
        return "batch";
    case MODE_COPROC:
        return "coproc";
    }
    return "unknown";
}

// Its words as they were understood: literal text is quoted as for sh, placeholders are not.
static void print_command(FILE *out, const struct settings *settings, const struct words *words)
{
    fprintf(out, "mode: %s (%s)\n", mode_name(settings->mode), settings->mode_reason);
    for (size_t i = 0; i < words_count(words); i++) {
        struct buf buf = {0};
        bool described = words_describe(words, i, &buf) == 0 && buf_append(&buf, "", 1) == 0;
        print_text(out, "word", described ? buf.bytes : "(no memory to show it)");
        buf_free(&buf);
    }
    if (settings->batch_lines > 0) {
        fprintf(out, "batch: %zu records\n", settings->batch_lines);
    } else if (settings->exact_blocks) {
        fprintf(out, "batch: records that fit in %zu bytes\n", settings->block_size);
    } else if (settings->mode == MODE_BATCH) {
        fprintf(out, "batch: what takes about 200 ms, up to %zu bytes\n", settings->block_size);
    }
    if (settings->mode == MODE_COPROC) {
        fprintf(out, "coproc: a process for each worker, up to 1 MiB of records ahead\n");
    }
    if (settings->recycle > 0) {
        fprintf(out, "recycle: after %" PRIu64 " record%s\n", settings->recycle,
                settings->recycle == 1 ? "" : "s");
    }
    if (settings->many_args) {
        fprintf(out, "max-args: %zu records\n", settings->max_args);
    }
    if (settings->colsep != NULL) {
        print_text(out, "colsep", settings->colsep);
    }
}

static double seconds(int64_t nanoseconds)
{
    return (double)nanoseconds / (double)CLOCK_SECOND;
}

static void print_priorities(FILE *out, const struct settings *settings)
{
    for (size_t i = 0; i < settings->priority_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "priority %d", settings->priorities[i].level);
        print_text(out, name, settings->priorities[i].pattern);
    }
    if (settings->priority_by != NULL) {
        print_text(out, "priority-by", settings->priority_by);
    }
    if (settings->aging > 0) {
        fprintf(out, "aging: one level each %g s\n", seconds(settings->aging));
    }
    if (!settings->classified && (settings->priority_count > 0 || settings->priority_by != NULL)) {
        fprintf(out, "priorities: without effect, since nothing would show it\n");
    }
}

static void print_key(FILE *out, const struct settings *settings)
{
    if (settings->key != NULL) {
        print_text(out, "key", settings->key);
        if (settings->keyed) {
            fprintf(out, "key-jobs: %u\n", settings->key_jobs);
        } else {
            fprintf(out, "keys: without effect but the order, since nothing else would show it\n");
        }
    }
}

static void print_workers(FILE *out, const struct settings *settings)
{
    fprintf(out, "jobs: %u\n", settings->jobs);
    fprintf(out, "processors: %u\n", settings->processors);
    fprintf(out, "threads: %u%s\n", settings->threads,
            settings->threads < settings->jobs ? " (no more than processors)" : "");
    fprintf(out, "pool: %s%s\n", settings_forks(settings) ? "forked processes" : "threads",
            settings->pool == POOL_PROCESS && !settings_forks(settings)
                ? " (COMMAND has processes of its own)"
                : "");
    fprintf(out, "drive: %s\n", settings->self_serve ? "self-serve" : "threaded");
    if (settings->queue_size > 0) {
        fprintf(out, "queue-size: %zu records\n", settings->queue_size);
    } else {
        fprintf(out, "queue-size: bounded by memory alone\n");
    }
    if (settings->rate.records > 0) {
        fprintf(out, "rate: %" PRIu64 " record%s in %g s, all workers together\n",
                settings->rate.records, settings->rate.records == 1 ? "" : "s",
                seconds(settings->rate.period));
    }
    print_priorities(out, settings);
    print_key(out, settings);
    fprintf(out, "buffer-size: %zu bytes%s\n", settings->buffer_size,
            settings->buffer_raised ? " (raised to what the workers need)" : "");
    fprintf(out, "block-size: %zu bytes\n", settings->block_size);
    print_text(out, "tmpdir", settings->tmpdir);
}

static void print_timeout(FILE *out, const struct settings *settings)
{
    if (settings->timeout > 0) {
        fprintf(out, "timeout: %g s for each attempt", seconds(settings->timeout));
        if (settings->mode != MODE_NONE) {
            fprintf(out, ", SIGKILL %g s later", seconds(settings->kill_after));
        }
        fputc('\n', out);
    }
}

static void print_halt(FILE *out, const struct halt *halt)
{
    static const char *const whys[] = {
        [HALT_FAIL] = "fail", [HALT_SUCCESS] = "success", [HALT_DONE] = "done"};
    if (halt->why != HALT_NEVER) {
        fprintf(out, "halt: %s,%s=%" PRIu64 "%s\n", halt->now ? "now" : "soon", whys[halt->why],
                halt->value, halt->percent ? "%" : "");
    }
}

void explain_print(FILE *out, const struct settings *settings, const struct plan *plan,
                   const struct words *words)
{
    print_inputs(out, settings);
    print_records(out, settings);
    print_plan(out, settings, plan);
    if (words != NULL) {
        print_command(out, settings, words);
    }
    print_workers(out, settings);
    if (settings->joblog != NULL) {
        print_text(out, "joblog", settings->joblog);
    }
    if (settings->dead_letter != NULL) {
        print_text(out, "dead-letter", settings->dead_letter);
        fprintf(out, "dead-letter-format: %s\n",
                settings->letter_format == LETTERS_RAW ? "raw" : "jsonl");
    }
    print_timeout(out, settings);
    if (settings->retries > 0) {
        fprintf(out, "retries: %u, after %.3gs and %g times as long each time, up to %.3gs\n",
                settings->retries, seconds(settings->backoff.base), settings->backoff.factor,
                seconds(settings->backoff.max));
    }
    print_halt(out, &settings->halt);
    if (settings->tag != NULL) {
        print_text(out, "tag", settings->tag);
    }
    print_text(out, "output", settings->output != NULL ? settings->output : "-");
    fprintf(out, "order: %s\n", settings->ordered ? "of the input" : "as results finish");
}
