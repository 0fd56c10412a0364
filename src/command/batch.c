// SPDX-License-Identifier: BSD-2-Clause
// Mode batch: a process filters some records, which it reads from its standard input.
//
// So does one that has to answer each of them (mode coproc), of records that are run apart.

#include "command/batch.h"

#include "cli/settings.h"
#include "command/words.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

static int reserve_input(struct command_state *state, size_t count)
{
    if (count > state->input_cap) {
        struct iovec *input = realloc(state->input, count * sizeof(*input));
        if (input == NULL) {
            return -1;
        }
        state->input = input;
        state->input_cap = count;
    }
    return 0;
}

// What the process reads: the header, and what the operations left; of it, what answers each record
// reads only the latter. -1: no memory.
static int make_input(struct command_state *state, const struct result *result,
                      struct job_plan *job)
{
    if (reserve_input(state, result->iov_count + 1) != 0) {
        return -1;
    }
    job->input = state->input;
    if (job->answers) {
        job->input_count = attempt_make_records(state, result, state->input);
    } else {
        job->input_count = result->iov_count + 1;
        state->input[0] = (struct iovec){(char *)state->header, state->header_len};
        if (result->iov_count > 0) { // not of an empty record that lacks its delimiter
            memcpy(state->input + 1, result->iov, result->iov_count * sizeof(*state->input));
        }
    }
    for (size_t i = 0; i < job->input_count; i++) {
        job->sent += state->input[i].iov_len;
    }
    return 0;
}

enum command_end batch_run(struct command_state *state, struct result *result)
{
    int planned = plan_run(state->plan, state->plan_state, result);
    if (planned != 0) {
        return planned == PLAN_RETRIABLE ? attempt_retry(state, result) : COMMAND_BROKEN;
    }
    uint64_t records = result->tally.emitted;
    if (records == 0) {
        return COMMAND_DONE;
    }
    struct job_plan job = {
        .values = attempt_values(state, result),
        .records = records,
        .may_split = records > 1 && !state->command->settings->no_split,
        .answers = state->command->settings->mode == MODE_COPROC,
    };
    if (make_input(state, result, &job) != 0) {
        return COMMAND_BROKEN;
    }
    if (job.input_count == 0) {
        return attempt_refuse(
            state, &job, ERROR_PROTOCOL,
            "the record holds the delimiter, so that COMMAND would answer it more "
            "than once (--batch or --each can have it)");
    }
    if (!job.answers && state->header_len > 0 && state->command->settings->header_out) {
        job.header_lines = state->command->settings->header_lines;
    }
    size_t used;
    enum fill_status status = words_make(state->command->words, state->words, &job.values, &used);
    if (status == FILL_NO_MEMORY) {
        return COMMAND_BROKEN;
    }
    if (status != FILL_DONE) {
        return attempt_refuse(state, &job, ERROR_SPAWN, words_error(state->words, status));
    }
    return attempt_run(state, result, &job);
}
