// SPDX-License-Identifier: BSD-2-Clause
// Mode batch: a process filters some records, which it reads from its standard input.

#include "cli/settings.h"
#include "command/mode.h"
#include "command/words.h"
#include "plan/plan.h"

enum command_end batch_run(struct command_state *state, struct result *result)
{
    if (plan_run(state->plan, state->plan_state, result) != 0) {
        return COMMAND_BROKEN;
    }
    uint64_t records = result->tally.emitted;
    if (records == 0) {
        return COMMAND_DONE;
    }
    struct job_plan job = {
        .values = command_values(state, result, NULL, 0),
        .input = result->iov,
        .input_count = result->iov_count,
        .records = records,
        .may_split = records > 1 && !state->command->settings->no_split,
    };
    for (size_t i = 0; i < job.input_count; i++) {
        job.sent += job.input[i].iov_len;
    }
    size_t used;
    enum fill_status status = words_make(state->command->words, state->words, &job.values, &used);
    if (status == FILL_NO_MEMORY) {
        return COMMAND_BROKEN;
    }
    if (status != FILL_DONE) {
        return command_refuse(state, &job, words_error(state->words, status));
    }
    return command_attempt_job(state, result, &job);
}
