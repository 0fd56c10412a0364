// SPDX-License-Identifier: BSD-2-Clause
// Mode batch: a process filters some records, which it reads from its standard input.

#include "command/batch.h"

#include "cli/settings.h"
#include "command/words.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

// What the process reads: the header, and what the operations left. -1: no memory.
static int make_input(struct command_state *state, const struct result *result,
                      struct job_plan *job)
{
    size_t count = result->iov_count + 1;
    if (count > state->input_cap) {
        struct iovec *input = realloc(state->input, count * sizeof(*input));
        if (input == NULL) {
            return -1;
        }
        state->input = input;
        state->input_cap = count;
    }
    state->input[0] = (struct iovec){(char *)state->header, state->header_len};
    memcpy(state->input + 1, result->iov, result->iov_count * sizeof(*state->input));
    job->input = state->input;
    job->input_count = count;
    for (size_t i = 0; i < count; i++) {
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
        .values = attempt_values(state, result, NULL, 0),
        .records = records,
        .may_split = records > 1 && !state->command->settings->no_split,
    };
    if (make_input(state, result, &job) != 0) {
        return COMMAND_BROKEN;
    }
    if (state->header_len > 0 && state->command->settings->header_out) {
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
