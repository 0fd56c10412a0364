// SPDX-License-Identifier: BSD-2-Clause
// An attempt: a process is run, and what became of it is told.

#include "command/attempt.h"

#include "base/clock.h"
#include "base/lookup.h"
#include "base/signal_text.h"
#include "base/thread.h"
#include "cli/settings.h"
#include "command/environment.h"
#include "command/tag.h"
#include "command/words.h"
#include "core/records.h"
#include "input/input.h"
#include "output/joblog.h"
#include "plan/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values attempt_values(const struct command_state *state, const struct result *result)
{
    return values_of(result, result->task.off, 0, NULL, 0, state->slot);
}

// Is the output the records of the task as they are? Then they were counted by what ends them.
static bool is_plain(const struct result *result)
{
    const struct task *task = &result->task;
    return result->iov_count == 1 && result->iov[0].iov_base == result_bytes(result) &&
           result->iov[0].iov_len == task->len && !result->unterminated &&
           task->block->ends == NULL;
}

size_t attempt_make_records(const struct command_state *state, const struct result *result,
                            struct iovec *pieces)
{
    const char *delimiter = &state->command->settings->delimiter;
    uint64_t records = 0;
    bool whole = true, plain = is_plain(result);
    for (size_t i = 0; i < result->iov_count; i++) {
        const char *bytes = result->iov[i].iov_base;
        size_t len = result->iov[i].iov_len;
        records += plain ? result->tally.emitted : records_count(bytes, len, *delimiter);
        whole = bytes[len - 1] == *delimiter;
        pieces[i] = result->iov[i];
    }
    size_t count = result->iov_count;
    if (!whole || result->unterminated) {
        records += whole; // an empty one
        pieces[count++] = (struct iovec){(char *)delimiter, 1};
    }
    return records == result->tally.emitted ? count : 0;
}

static void set_cause(struct command_state *state, struct cause *cause)
{
    cause_unref(state->cause);
    state->cause = cause;
}

// Keep what the process said last.
static void keep_tails(struct command_state *state)
{
    struct cause *cause = state->cause;
    cause->out = malloc(CAUSE_TAIL_BYTES);
    cause->err = malloc(CAUSE_TAIL_BYTES);
    if (cause->out != NULL) {
        cause->out_len = process_output_tail(state->process, cause->out, CAUSE_TAIL_BYTES);
    }
    if (cause->err != NULL) {
        cause->err_len = process_error_tail(state->process, cause->err, CAUSE_TAIL_BYTES);
    }
}

static struct cause *explain_exit(const struct command_state *state)
{
    int status = process_status(state->process);
    char byte;
    bool silent = process_output_tail(state->process, &byte, 1) == 0 &&
                  process_error_tail(state->process, &byte, 1) == 0;
    bool hint = status == 1 && silent && state->command->settings->mode == MODE_BATCH;
    return cause_create(
        ERROR_EXIT, "exit status %d%s", status,
        hint ? " (and no output; --ok-exit=0,1 if that means that nothing was found)" : "");
}

static struct cause *explain_spawn(const struct command_state *state, int error)
{
    const char *hint = "";
    if (error == ENOENT) { // the program itself was looked for, if its name is no matter of records
        hint = words_program(state->command->words) != NULL
                   ? " (perhaps the interpreter that its first line names)"
                   : " (its name has a placeholder; a text of several words needs --shell)";
    }
    return cause_create(
        ERROR_SPAWN, "COMMAND cannot be started: %s%s",
        error == E2BIG ? "its arguments and environment are too long" : strerror(error), hint);
}

static struct cause *explain(const struct command_state *state, enum process_end end, int error)
{
    const struct settings *settings = state->command->settings;
    char text[SIGNAL_TEXT_SIZE];
    switch (end) {
    case PROCESS_EXITED:
        return explain_exit(state);
    case PROCESS_SIGNALLED:
        return cause_create(ERROR_SIGNAL, "died of %s",
                            signal_text(process_signal(state->process), text));
    case PROCESS_TIMED_OUT:
        return cause_create(ERROR_TIMEOUT, "had not ended after %g s (--timeout)",
                            (double)settings->timeout / (double)CLOCK_SECOND);
    default:
        return explain_spawn(state, error);
    }
}

int attempt_log(struct command_state *state, struct job *line)
{
    if (state->command->joblog == NULL) {
        return 0;
    }
    state->line.len = 0;
    if (words_print(state->command->words, state->words, &state->line) != 0) {
        return -1;
    }
    line->command = state->line.bytes;
    line->command_len = state->line.len;
    return joblog_write(state->command->joblog, line);
}

static int log_run(struct command_state *state, const struct result *result,
                   const struct job_plan *job, enum process_end end, struct timespec start)
{
    struct job line = {
        .seq = job->values.seq,
        .start = start,
        .seconds = (double)process_time(state->process) / (double)CLOCK_SECOND,
        .sent = job->sent,
        .received = capture_len(process_output(state->process)),
        .status = end == PROCESS_SIGNALLED ? 0 : process_status(state->process),
        .signal = process_signal(state->process),
        .attempt = result->task.attempts + 1,
        .records = job->records,
    };
    return attempt_log(state, &line);
}

const char *attempt_find_path(const struct command_state *state, char **found)
{
    *found = NULL;
    if (state->command->path != NULL) {
        return state->command->path;
    }
    *found = lookup_program(words_arguments(state->words)[0]);
    return *found;
}

static enum process_end run_process(struct command_state *state, const struct result *result,
                                    struct job_plan *job)
{
    char *found;
    struct process_job process = {
        .path = attempt_find_path(state, &found),
        .argv = words_arguments(state->words),
        .envp = environment_fill(state->environment, &job->values, result->task.attempts + 1),
        .input = job->input,
        .input_count = job->input_count,
        .replies = job->answers ? job->records : 0,
        .delimiter = state->command->settings->delimiter,
    };
    enum process_end end = PROCESS_NOT_STARTED;
    if (process.path != NULL && process.envp != NULL) {
        end = process_run(state->process, &process);
    }
    int error = errno;
    free(found);
    errno = error;
    return end;
}

// The command itself is the output.
static enum command_end show(struct command_state *state, struct result *result,
                             const struct job_plan *job)
{
    struct buf line = {0};
    int status = words_print(state->command->words, state->words, &line);
    if (status == 0 && state->command->settings->mode == MODE_BATCH) {
        char note[64];
        int len = snprintf(note, sizeof(note), " # %" PRIu64 " record%s", job->records,
                           job->records == 1 ? "" : "s");
        status = buf_append(&line, note, (size_t)len);
    }
    result_drop_output(result);
    if (status != 0 || buf_append(&line, "\n", 1) != 0 || result_give(result, &line) != 0) {
        buf_free(&line);
        return COMMAND_BROKEN;
    }
    return COMMAND_DONE;
}

// Does the output begin as those before it? The first one tells how. 1, 0, or -1: no memory.
static int same_header(struct command *command, const struct buf *header)
{
    int same;
    mutex_lock(&command->mutex);
    if (command->header.len == 0) {
        same = buf_append(&command->header, header->bytes, header->len) == 0 ? 1 : -1;
    } else {
        same = command->header.len == header->len &&
               memcmp(command->header.bytes, header->bytes, header->len) == 0;
    }
    mutex_unlock(&command->mutex);
    return same;
}

// Take the header from the front of an output, which is not empty. As same_header(), and also -1 if
// the spill file failed.
static int take_header(struct command_state *state, const struct job_plan *job)
{
    char delimiter = state->command->settings->delimiter;
    struct buf *header = &state->output_header;
    header->len = 0;
    if (capture_take_lines(process_output(state->process), delimiter, job->header_lines, header) !=
        0) {
        return -1;
    }
    // One without records behind it may lack its last delimiter.
    if (header->bytes[header->len - 1] != delimiter && buf_append(header, &delimiter, 1) != 0) {
        return -1;
    }
    return same_header(state->command, header);
}

// What the process wrote becomes the output of the result, which has none. Returns 0, or -1: no
// memory, or the spill file failed.
int attempt_give_output(struct command_state *state, struct result *result)
{
    return result_tag(result, state->tag_bytes) == 0
               ? capture_finish(process_output(state->process), result)
               : -1;
}

// The output is not what was agreed.
static enum command_end protest(struct command_state *state, const struct job_plan *job,
                                const char *why)
{
    set_cause(state, cause_create(ERROR_PROTOCOL, "%s", why));
    if (state->cause == NULL) {
        return COMMAND_BROKEN;
    }
    keep_tails(state);
    state->attempt = (struct attempt){
        .ns = process_time(state->process),
        .may_split = job->may_split,
        .retriable = retry_is_wanted(&state->command->settings->retry_on, state->cause),
    };
    return COMMAND_FAILED;
}

// The header was taken from the front of the output, which is too long a tail or has room for it.
static void keep_header(struct command_state *state)
{
    struct cause *cause = state->cause;
    const struct buf *header = &state->output_header;
    if (cause->out != NULL && header->len <= CAUSE_TAIL_BYTES - cause->out_len) {
        memmove(cause->out + header->len, cause->out, cause->out_len);
        memcpy(cause->out, header->bytes, header->len);
        cause->out_len += header->len;
    }
}

static enum command_end protest_header(struct command_state *state, const struct job_plan *job)
{
    enum command_end end = protest(state, job,
                                   "the output begins with another header than those before it "
                                   "(--header-out=0: outputs have none)");
    if (end == COMMAND_FAILED) {
        keep_header(state);
    }
    return end;
}

// Has the output a record for each that it is about? 1, 0, or -1: the spill file failed.
static int answers_all(struct command_state *state, const struct job_plan *job, uint64_t *answers)
{
    const struct settings *settings = state->command->settings;
    if (capture_count(process_output(state->process), settings->delimiter, answers) != 0) {
        return -1;
    }
    return *answers == job->records;
}

static enum command_end protest_answers(struct command_state *state, const struct job_plan *job,
                                        uint64_t answers)
{
    char why[256];
    snprintf(why, sizeof(why),
             "%" PRIu64 " repl%s to %" PRIu64 " record%s: there has to be one to each (--batch if "
             "COMMAND is a filter)",
             answers, answers == 1 ? "y" : "ies", job->records, job->records == 1 ? "" : "s");
    return protest(state, job, why);
}

// Make the output of the process the result's.
static enum command_end take_output(struct command_state *state, struct result *result,
                                    const struct job_plan *job)
{
    struct capture *output = process_output(state->process);
    int same = job->header_lines > 0 && capture_len(output) > 0 ? take_header(state, job) : 1;
    if (same == 0) {
        return protest_header(state, job);
    }
    uint64_t answers;
    int all = job->answers ? answers_all(state, job, &answers) : 1;
    if (all == 0) {
        return protest_answers(state, job, answers);
    }
    result_drop_bytes(result);
    return all > 0 && same > 0 && attempt_give_output(state, result) == 0 ? COMMAND_DONE
                                                                          : COMMAND_BROKEN;
}

enum command_end attempt_run(struct command_state *state, struct result *result,
                             struct job_plan *job)
{
    if (state->process == NULL) {
        return show(state, result, job);
    }
    if (state->tag != NULL) {
        switch (tag_make(state->command->tag, state->tag, &job->values, &state->tag_bytes)) {
        case FILL_DONE:
            break;
        case FILL_GAVE_UP:
            return attempt_refuse(state, job, ERROR_REGEX, tag_error(state->tag));
        default:
            return COMMAND_BROKEN;
        }
    }
    struct timespec start;
    clock_gettime(CLOCK_REALTIME, &start);
    enum process_end end = run_process(state, result, job);
    int error = errno;
    if (end == PROCESS_ENDED || end == PROCESS_BROKEN) {
        return end == PROCESS_ENDED ? COMMAND_ENDED : COMMAND_BROKEN;
    }
    if (log_run(state, result, job, end, start) != 0) {
        return COMMAND_BROKEN;
    }
    if (end == PROCESS_SUCCEEDED || end == PROCESS_FLOODED) {
        return take_output(state, result, job);
    }
    set_cause(state, explain(state, end, error));
    if (state->cause == NULL) {
        return COMMAND_BROKEN;
    }
    state->cause->status = end == PROCESS_EXITED ? process_status(state->process) : -1;
    state->cause->signal = end == PROCESS_SIGNALLED ? process_signal(state->process) : 0;
    if (end != PROCESS_NOT_STARTED) {
        keep_tails(state);
    }
    state->attempt = (struct attempt){
        .ns = process_time(state->process),
        .may_split = job->may_split,
        .retriable = !(end == PROCESS_NOT_STARTED && error == E2BIG) &&
                     retry_is_wanted(&state->command->settings->retry_on, state->cause),
    };
    return COMMAND_FAILED;
}

enum command_end attempt_refuse(struct command_state *state, const struct job_plan *job,
                                enum error error, const char *why)
{
    set_cause(state, cause_create(error, "%s", why));
    state->attempt = (struct attempt){.may_split = job->may_split};
    return state->cause != NULL ? COMMAND_FAILED : COMMAND_BROKEN;
}

enum command_end attempt_retry(struct command_state *state, const struct result *result)
{
    const struct retriable *retriable = plan_retriable(state->plan_state);
    if (retriable->len < result->task.len) {
        state->front = retriable->off > 0 ? retriable->off : retriable->len;
        return COMMAND_PARTS;
    }
    set_cause(state, cause_ref(retriable->cause));
    state->attempt = (struct attempt){.retriable = true};
    return COMMAND_FAILED;
}
