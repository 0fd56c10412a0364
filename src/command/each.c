// SPDX-License-Identifier: BSD-2-Clause
// Mode each: a process for each record, or with -n for several, as its arguments.

#include "command/each.h"

#include "cli/settings.h"
#include "command/words.h"
#include "core/records.h"
#include "plan/plan.h"

#include <inttypes.h>
#include <stdio.h>

// Where to cut so that about `used` records are in front, with no cut through what plugins made of
// one. 0: all are of one record.
static size_t find_cut(const struct survivors *survivors, size_t used, const char *bytes)
{
    const char *const *begins = survivors->begins;
    size_t cut = used;
    while (cut > 0 && begins[cut - 1] == begins[used]) {
        cut--;
    }
    if (cut == 0) {
        cut = used;
        while (cut < survivors->count && begins[cut] == begins[0]) {
            cut++;
        }
    }
    return cut < survivors->count ? (size_t)(begins[cut] - bytes) : 0;
}

// The records, with the numbers of the first one: others of the task may stand before it.
static struct values values_of_survivors(const struct command_state *state,
                                         const struct result *result,
                                         const struct survivors *survivors)
{
    const char *bytes = result_bytes(result), *first = survivors->begins[0];
    struct records before = records_between(result, bytes, first);
    struct record record;
    uint64_t index = 0;
    while (records_next(&before, &record)) {
        index++;
    }
    return values_of(result, result->task.off + (size_t)(first - bytes), index, survivors->records,
                     survivors->count, state->slot);
}

static enum command_end refuse_several(struct command_state *state, const struct job_plan *job)
{
    char why[128];
    snprintf(why, sizeof(why),
             "plugins made %" PRIu64
             " records of it, more than one process takes (see --batch, -n)",
             job->records);
    return attempt_refuse(state, job, ERROR_PLUGIN, why);
}

enum command_end each_run(struct command_state *state, struct result *result)
{
    struct survivors survivors;
    int planned = plan_list(state->plan, state->plan_state, result, &survivors);
    if (planned != 0) {
        return planned == PLAN_RETRIABLE ? attempt_retry(state, result) : COMMAND_BROKEN;
    }
    if (survivors.count == 0) {
        return COMMAND_DONE;
    }
    struct job_plan job = {
        .values = values_of_survivors(state, result, &survivors),
        .records = survivors.count,
    };
    size_t used;
    enum fill_status status = words_make(state->command->words, state->words, &job.values, &used);
    if (status == FILL_NO_MEMORY) {
        return COMMAND_BROKEN;
    }
    if (used < survivors.count) {
        state->front = find_cut(&survivors, used, result_bytes(result));
        return state->front > 0 ? COMMAND_PARTS : refuse_several(state, &job);
    }
    if (status != FILL_DONE) {
        return attempt_refuse(state, &job, status == FILL_GAVE_UP ? ERROR_REGEX : ERROR_SPAWN,
                              words_error(state->words, status));
    }
    return attempt_run(state, result, &job);
}
