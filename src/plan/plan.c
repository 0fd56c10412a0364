// SPDX-License-Identifier: BSD-2-Clause
// The plan: takes the records of a task one by one through the operations.

#include "plan/plan.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "core/result.h"
#include "plan/op_regex.h"
#include "plan/regex.h"
#include "plan/rewrite.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    uint64_t max_record;     // bytes
    bool count_only;         // nothing is written but how many records would be
    struct rewrite *rewrite; // does all, if an operation changes records; else NULL
    size_t count;
    struct op_regex ops[]; // in the order given
};

struct plan_state {
    struct matcher *matcher; // NULL without operations
    struct rewrite_state *rewrite;
    struct emitter emitter;
};

struct plan *plan_create(const struct settings *settings)
{
    size_t count = settings->operation_count;
    struct plan *plan = calloc(1, sizeof(*plan) + count * sizeof(plan->ops[0]));
    if (plan == NULL) {
        diag_error("no memory for the operations");
        return NULL;
    }
    plan->max_record = settings->max_record;
    plan->count_only = settings->count;

    unsigned flags = (settings->ignore_case ? REGEX_CASELESS : 0u) |
                     (settings->fixed_strings ? REGEX_LITERAL : 0u) |
                     (settings->utf ? REGEX_UTF : 0u);
    if (rewrite_wanted(settings)) {
        plan->rewrite = rewrite_create(settings, flags);
        if (plan->rewrite == NULL) {
            plan_destroy(plan);
            return NULL;
        }
        return plan;
    }
    for (; plan->count < count; plan->count++) {
        if (op_regex_init(&plan->ops[plan->count], &settings->operations[plan->count], flags) !=
            0) {
            plan_destroy(plan);
            return NULL;
        }
    }
    return plan;
}

void plan_destroy(struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    rewrite_destroy(plan->rewrite);
    while (plan->count > 0) {
        op_regex_destroy(&plan->ops[--plan->count]);
    }
    free(plan);
}

struct plan_state *plan_state_create(const struct plan *plan)
{
    struct plan_state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return NULL;
    }
    emitter_init(&state->emitter);
    state->emitter.discard = plan->count_only;
    if (plan->count > 0 || plan->rewrite != NULL) {
        state->matcher = matcher_create();
        if (state->matcher == NULL) {
            plan_state_destroy(state);
            return NULL;
        }
    }
    if (plan->rewrite != NULL) {
        state->rewrite = rewrite_state_create(plan->rewrite);
        if (state->rewrite == NULL) {
            plan_state_destroy(state);
            return NULL;
        }
    }
    return state;
}

void plan_state_destroy(struct plan_state *state)
{
    if (state != NULL) {
        matcher_destroy(state->matcher);
        rewrite_state_destroy(state->rewrite);
        emitter_destroy(&state->emitter);
        free(state);
    }
}

static int fail_too_long(const struct plan *plan, struct result *result)
{
    result->tally.records = 1;
    return result_fail(result, 0, ERROR_TOO_LONG,
                       "a record of %" PRIu64 " bytes, longer than the limit of %" PRIu64
                       "; --max-record=SIZE raises it",
                       result->task.block->oversize, plan->max_record);
}

// With no operation everything passes.
static int pass(struct plan_state *state, struct result *result)
{
    const struct task *task = &result->task;
    const char *bytes = result_bytes(result);
    uint64_t records = records_count(bytes, task->len, task->block->delimiter);
    result->tally.records = result->tally.emitted = records;
    return emitter_keep(&state->emitter, bytes, task->len);
}

static enum verdict decide(const struct plan *plan, struct plan_state *state, const char *record,
                           size_t len)
{
    enum verdict verdict = RECORD_KEPT;
    for (size_t i = 0; i < plan->count && verdict == RECORD_KEPT; i++) {
        verdict = op_regex_run(&plan->ops[i], state->matcher, record, len);
    }
    return verdict;
}

// Emit what lies between, if anything.
static int emit(struct plan_state *state, const char *from, const char *to)
{
    return from < to ? emitter_keep(&state->emitter, from, (size_t)(to - from)) : 0;
}

// The hot path: for each record one search and one match an operation, nothing else. Records that
// are kept one after another are emitted together.
static int filter(const struct plan *plan, struct plan_state *state, struct result *result)
{
    const char delimiter = result->task.block->delimiter;
    const char *record = result_bytes(result), *end = record + result->task.len;
    const char *kept = record; // from here to `record` all are kept and not emitted yet
    uint64_t index = 0, dropped = 0;

    while (record < end) {
        const char *stop = memchr(record, delimiter, (size_t)(end - record));
        const char *next = stop != NULL ? stop + 1 : end;
        size_t len = (size_t)((stop != NULL ? stop : end) - record);

        enum verdict verdict = decide(plan, state, record, len);
        if (verdict != RECORD_KEPT) {
            if (emit(state, kept, record) != 0) {
                return -1;
            }
            kept = next;
            dropped += verdict == RECORD_DROPPED;
        }
        if (verdict == RECORD_FAILED &&
            result_fail(result, index, ERROR_REGEX, "%s", matcher_error(state->matcher)) != 0) {
            return -1;
        }
        record = next;
        index++;
    }
    result->tally.records = index;
    result->tally.dropped = dropped;
    result->tally.emitted = index - dropped - result->tally.failed;
    return emit(state, kept, end);
}

int plan_run(const struct plan *plan, struct plan_state *state, struct result *result)
{
    if (result->task.block->oversize != 0) {
        return fail_too_long(plan, result);
    }
    int rc;
    if (plan->rewrite != NULL) {
        rc = rewrite_run(plan->rewrite, state->rewrite, state->matcher, &state->emitter, result);
    } else {
        rc = plan->count == 0 ? pass(state, result) : filter(plan, state, result);
    }
    if (rc == 0) {
        rc = emitter_finish(&state->emitter, result);
    }
    if (rc != 0) {
        emitter_clear(&state->emitter); // nothing of it may go to the next result
    }
    return rc;
}
