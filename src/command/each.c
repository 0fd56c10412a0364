// SPDX-License-Identifier: BSD-2-Clause
// Mode each: a process for each record, or with -n for several, as its arguments.

#include "command/each.h"

#include "cli/settings.h"
#include "command/words.h"
#include "plan/plan.h"

enum command_end each_run(struct command_state *state, struct result *result)
{
    struct survivors survivors;
    if (plan_list(state->plan, state->plan_state, result, &survivors) != 0) {
        return COMMAND_BROKEN;
    }
    if (survivors.count == 0) {
        return COMMAND_DONE;
    }
    struct job_plan job = {
        .values = attempt_values(state, result, survivors.records, survivors.count),
        .records = survivors.count,
    };
    size_t used;
    enum fill_status status = words_make(state->command->words, state->words, &job.values, &used);
    if (status == FILL_NO_MEMORY) {
        return COMMAND_BROKEN;
    }
    if (used < survivors.count) {
        state->cut = (size_t)(survivors.begins[used] - result_bytes(result));
        return COMMAND_CUT;
    }
    if (status != FILL_DONE) {
        return attempt_refuse(state, &job, status == FILL_GAVE_UP ? ERROR_REGEX : ERROR_SPAWN,
                              words_error(state->words, status));
    }
    return attempt_run(state, result, &job);
}
