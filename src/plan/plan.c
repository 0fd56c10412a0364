// SPDX-License-Identifier: BSD-2-Clause
// The plan: takes the records of a task one by one through the operations.

#include "plan/plan.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "core/records.h"
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
    // Only the first operation sees runs of records; a pattern for these can be slower on one.
    unsigned first = settings->delimiter == '\n' && !settings->utf ? REGEX_LINES : 0u;
    for (; plan->count < count; plan->count++) {
        if (op_regex_init(&plan->ops[plan->count], &settings->operations[plan->count],
                          plan->count == 0 ? flags | first : flags) != 0) {
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
    struct cause *cause =
        cause_create(ERROR_TOO_LONG,
                     "a record of %" PRIu64 " bytes, longer than the limit of %" PRIu64
                     "; --max-record=SIZE raises it",
                     result->task.block->oversize, plan->max_record);
    if (cause == NULL) {
        return -1;
    }
    int rc = result_fail(result, 0, result_bytes(result), result->task.len, cause);
    cause_unref(cause);
    return rc;
}

// With no operation everything passes.
static int pass(struct plan_state *state, struct result *result)
{
    const struct task *task = &result->task;
    const char *bytes = result_bytes(result);
    result->tally.records = result->tally.emitted = records_in_task(result);
    return emitter_keep(&state->emitter, bytes, task->len);
}

// A task on its way through the operations.
struct filter {
    const struct plan *plan;
    struct plan_state *state;
    struct result *result;
    const char *end;    // of the task
    const char *record; // the next one to be decided
    const char *kept;   // from here to `record` all are kept and not emitted yet
};

// Emit what is kept and not emitted yet.
static int emit(struct filter *filter)
{
    size_t len = (size_t)(filter->record - filter->kept);
    return len > 0 ? emitter_keep(&filter->state->emitter, filter->kept, len) : 0;
}

// The records up to `to` are kept.
static void keep(struct filter *filter, const char *to, size_t records)
{
    filter->result->tally.records += records;
    filter->record = to;
}

// The records up to `to` are not kept.
static int leave_out(struct filter *filter, const char *to, size_t records)
{
    if (emit(filter) != 0) {
        return -1;
    }
    filter->result->tally.records += records;
    filter->kept = filter->record = to;
    return 0;
}

static int drop(struct filter *filter, const char *to, size_t records)
{
    filter->result->tally.dropped += records;
    return leave_out(filter, to, records);
}

static int fail(struct filter *filter, const char *stop, const char *to)
{
    size_t len = (size_t)(stop - filter->record);
    if (op_regex_fail(filter->state->matcher, filter->result, filter->record, len) != 0) {
        return -1;
    }
    return leave_out(filter, to, 1);
}

// What the operations from number `op` on make of a record.
static enum verdict verdict_of(const struct filter *filter, size_t op, const char *record,
                               size_t len)
{
    const struct plan *plan = filter->plan;
    enum verdict verdict = RECORD_KEPT;
    for (; op < plan->count && verdict == RECORD_KEPT; op++) {
        verdict = op_regex_run(&plan->ops[op], filter->state->matcher, record, len);
    }
    return verdict;
}

// Decide the records up to `to` one by one, by the operations from number `op` on: for each one
// search and one match an operation, nothing else. Records that are kept one after another are
// emitted together.
static int decide_each(struct filter *filter, const char *to, size_t op)
{
    struct records records = records_between(filter->result, filter->record, to);
    struct record record;
    int rc = 0;
    while (rc == 0 && records_next(&records, &record)) {
        switch (verdict_of(filter, op, record.bytes, record.len)) {
        case RECORD_KEPT:
            keep(filter, record.next, 1);
            break;
        case RECORD_DROPPED:
            rc = drop(filter, record.next, 1);
            break;
        case RECORD_FAILED:
            rc = fail(filter, record.bytes + record.len, record.next);
        }
    }
    return rc;
}

// The records up to `to` have or have not a match of the first operation.
static int decide_first(struct filter *filter, const char *to, bool match)
{
    const char delimiter = filter->result->task.block->delimiter;
    const struct plan *plan = filter->plan;
    if (match == plan->ops[0].keep_matches && plan->count > 1) {
        return decide_each(filter, to, 1);
    }
    size_t records =
        match ? 1 : records_count(filter->record, (size_t)(to - filter->record), delimiter);
    if (match != plan->ops[0].keep_matches) {
        return drop(filter, to, records);
    }
    keep(filter, to, records);
    return 0;
}

// The first byte of the record around `match`, and where the next one begins. `from` begins a
// record, often this one.
static const char *record_around(const char *from, const char *match, const char *end,
                                 const char **next)
{
    const char *stop = memchr(from, '\n', (size_t)(end - from));
    if (stop != NULL && stop < match) {
        from = (const char *)memrchr(stop, '\n', (size_t)(match - stop)) + 1;
        stop = memchr(match, '\n', (size_t)(end - match));
    }
    *next = stop != NULL ? stop + 1 : end;
    return from;
}

// After so many matches in records one after another, as many bytes are decided one by one: where
// nearly every record matches there is nothing to jump over.
#define DENSE_RECORDS 8
#define DENSE_BYTES ((size_t)32 * 1024)

static int decide_dense(struct filter *filter)
{
    const char *to = filter->end;
    if ((size_t)(to - filter->record) > DENSE_BYTES) {
        record_around(filter->record, filter->record + DENSE_BYTES, filter->end, &to);
    }
    return decide_each(filter, to, 0);
}

// The first operation jumps from match to match. Where it cannot tell, the rest is left.
static int search(struct filter *filter)
{
    const struct regex *regex = filter->plan->ops[0].regex;
    const char *end = filter->end;
    unsigned dense = 0; // records in a row that matched
    int rc = 0;
    while (rc == 0 && filter->record < end) {
        const char *from = filter->record, *start = end, *next = end;
        size_t offset;
        int found =
            regex_search(regex, filter->state->matcher, from, (size_t)(end - from), &offset);
        if (found < 0) {
            break;
        }
        if (found) {
            start = record_around(from, from + offset, end, &next);
        }
        if (start > from) {
            dense = 0;
            rc = decide_first(filter, start, false);
        }
        if (rc == 0 && next > start) {
            rc = decide_first(filter, next, true);
        }
        if (rc == 0 && ++dense == DENSE_RECORDS) {
            dense = 0;
            rc = decide_dense(filter);
        }
    }
    return rc;
}

// The hot path.
static int filter(const struct plan *plan, struct plan_state *state, struct result *result)
{
    const char *bytes = result_bytes(result);
    struct filter filter = {.plan = plan,
                            .state = state,
                            .result = result,
                            .end = bytes + result->task.len,
                            .record = bytes,
                            .kept = bytes};
    if (regex_searches(plan->ops[0].regex) && search(&filter) != 0) {
        return -1;
    }
    if (decide_each(&filter, filter.end, 0) != 0) { // what is left
        return -1;
    }
    struct tally *tally = &result->tally;
    tally->emitted = tally->records - tally->dropped - tally->failed;
    return emit(&filter);
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
