// SPDX-License-Identifier: BSD-2-Clause
// The list of operations.

#include "plan/steps.h"

#include "base/buf.h"
#include "base/diag.h"
#include "core/result.h"
#include "plan/regex.h"
#include "plan/template.h"

#include <stdbool.h>
#include <stdlib.h>

// Memory for changed records that a worker keeps for the next task.
#define KEEP_BYTES ((size_t)1024 * 1024)

// The record as it is, what the captures refer to, and the record to be.
#define BUFS 3

struct steps_state {
    struct matcher *matcher; // NULL without operations
    struct emitter *emitter;
    struct buf bufs[BUFS]; // records that were made

    // The record on its way.
    const char *bytes;
    size_t len;
    bool written;           // it is the last of the emitter's own bytes
    struct captures *match; // of the last match whose captures are used,
    const char *subject;    // and what they refer to

    size_t count;
    struct captures *captures[]; // of each operation, NULL where none are needed
};

// --- making of the list

static unsigned flags_of(const struct settings *settings)
{
    return (settings->ignore_case ? REGEX_CASELESS : 0u) |
           (settings->fixed_strings ? REGEX_LITERAL : 0u) | (settings->utf ? REGEX_UTF : 0u);
}

static int step_init(struct step *step, const struct operation *operation, unsigned flags,
                     struct op_regex *match)
{
    step->kind = operation->kind;
    switch (operation->kind) {
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        return op_regex_init(&step->regex, operation, flags);
    case OPERATION_SUBST:
        return op_subst_init(&step->subst, operation->pattern, flags);
    case OPERATION_PRINT:
        return op_print_init(&step->print, operation->pattern, match);
    }
    return -1;
}

static void step_destroy(struct step *step)
{
    switch (step->kind) {
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        op_regex_destroy(&step->regex);
        break;
    case OPERATION_SUBST:
        op_subst_destroy(&step->subst);
        break;
    case OPERATION_PRINT:
        op_print_destroy(&step->print);
        break;
    }
}

static const struct regex *pattern_of(const struct step *step)
{
    switch (step->kind) {
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        return step->regex.regex;
    case OPERATION_SUBST:
        return step->subst.regex;
    case OPERATION_PRINT:
        break;
    }
    return NULL;
}

static int compile(struct steps *steps, const struct settings *settings)
{
    // Only the first operation sees runs of records; a pattern for these can be slower on one.
    bool lines = settings->delimiter == '\n' && settings_delimited(settings);
    unsigned first = lines && !settings->utf ? REGEX_LINES : 0u;
    unsigned flags = flags_of(settings);
    struct op_regex *match = NULL;
    while (steps->count < settings->operation_count) {
        const struct operation *operation = &settings->operations[steps->count];
        struct step *step = &steps->list[steps->count++];
        if (step_init(step, operation, steps->count == 1 ? flags | first : flags, match) != 0) {
            return -1;
        }
        if (step->kind == OPERATION_MATCH) {
            match = &step->regex;
        } else if (step->kind != OPERATION_EXCLUDE) {
            steps->last_change = step;
        }
    }
    steps->head = steps->count > 0 ? pattern_of(&steps->list[0]) : NULL;
    return 0;
}

struct steps *steps_create(const struct settings *settings)
{
    size_t bytes = sizeof(struct steps) + settings->operation_count * sizeof(struct step);
    struct steps *steps = calloc(1, bytes);
    if (steps == NULL) {
        diag_error("no memory for the operations");
        return NULL;
    }
    if (compile(steps, settings) != 0) {
        steps_destroy(steps);
        return NULL;
    }
    return steps;
}

void steps_destroy(struct steps *steps)
{
    if (steps == NULL) {
        return;
    }
    for (size_t i = 0; i < steps->count; i++) {
        step_destroy(&steps->list[i]);
    }
    free(steps);
}

// --- what a worker needs

// False: no memory.
static bool make_captures(const struct step *step, struct captures **captures)
{
    switch (step->kind) {
    case OPERATION_SUBST:
        *captures = op_subst_captures(&step->subst);
        return *captures != NULL;
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        if (step->regex.pairs == 0) {
            return true;
        }
        *captures = captures_create(step->regex.pairs);
        return *captures != NULL;
    case OPERATION_PRINT:
        break;
    }
    return true;
}

struct steps_state *steps_state_create(const struct steps *steps, struct emitter *emitter)
{
    size_t bytes = sizeof(struct steps_state) + steps->count * sizeof(struct captures *);
    struct steps_state *state = calloc(1, bytes);
    if (state == NULL) {
        return NULL;
    }
    state->emitter = emitter;
    bool made = true;
    if (steps->count > 0) {
        state->matcher = matcher_create();
        made = state->matcher != NULL;
    }
    for (; made && state->count < steps->count; state->count++) {
        made = make_captures(&steps->list[state->count], &state->captures[state->count]);
    }
    if (!made) {
        steps_state_destroy(state);
        return NULL;
    }
    return state;
}

void steps_state_destroy(struct steps_state *state)
{
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        captures_destroy(state->captures[i]);
    }
    for (size_t i = 0; i < BUFS; i++) {
        buf_free(&state->bufs[i]);
    }
    matcher_destroy(state->matcher);
    free(state);
}

// --- the way of a record

// Does the buffer hold what is still needed?
static bool is_used(const struct steps_state *state, const struct buf *buf)
{
    return buf->bytes != NULL && (buf->bytes == state->bytes || buf->bytes == state->subject);
}

static void release_large(struct buf *buf)
{
    if (buf->cap > KEEP_BYTES) {
        buf_free(buf);
    }
}

// Where a step puts the record that it makes, at the end; some room is there already. NULL: no
// memory.
static struct buf *open_output(struct steps_state *state, bool last)
{
    struct buf *buf = state->bufs;
    if (last) {
        buf = emitter_open(state->emitter);
    } else {
        while (is_used(state, buf)) {
            buf++;
        }
        buf->len = 0;
    }
    return buf != NULL && buf_reserve(buf, state->len + 1) == 0 ? buf : NULL;
}

// From now on the record is what was put behind the first `start` bytes.
static void close_output(struct steps_state *state, const struct buf *buf, size_t start)
{
    state->bytes = buf->bytes + start;
    state->len = buf->len - start;
    state->written = buf == &state->emitter->own;
    for (size_t i = 0; i < BUFS && !state->written; i++) {
        if (!is_used(state, &state->bufs[i])) {
            release_large(&state->bufs[i]);
        }
    }
}

static enum verdict run_regex(struct steps_state *state, const struct op_regex *op,
                              struct captures *captures)
{
    int kept = op_regex_keeps(op, state->matcher, captures, state->bytes, state->len);
    if (captures != NULL) {
        state->match = captures;
        state->subject = state->bytes;
    }
    return kept < 0 ? RECORD_FAILED : kept > 0 ? RECORD_KEPT : RECORD_DROPPED;
}

static enum verdict run_subst(struct steps_state *state, const struct op_subst *op,
                              struct captures *captures, bool last)
{
    const char *bytes = state->bytes;
    size_t len = state->len;
    int found = op_subst_find(op, state->matcher, captures, bytes, len);
    if (found <= 0) {
        return found == 0 ? RECORD_KEPT : RECORD_FAILED;
    }
    struct buf *buf = open_output(state, last);
    if (buf == NULL) {
        return RECORD_NO_MEMORY;
    }
    size_t start = buf->len;
    switch (op_subst_append(op, state->matcher, captures, bytes, len, buf)) {
    case SUBST_GAVE_UP:
        return RECORD_FAILED;
    case SUBST_NO_MEMORY:
        return RECORD_NO_MEMORY;
    case SUBST_DONE:
        break;
    }
    close_output(state, buf, start);
    return RECORD_KEPT;
}

static enum verdict run_print(struct steps_state *state, const struct op_print *op, bool last)
{
    const size_t whole[] = {0, state->len}, *offsets = whole;
    const char *subject = state->bytes;
    if (op->of_match) {
        offsets = state->match->offsets;
        subject = state->subject;
    }
    struct buf *buf = open_output(state, last);
    if (buf == NULL) {
        return RECORD_NO_MEMORY;
    }
    size_t start = buf->len;
    if (template_append(op->template, subject, offsets, buf) != 0) {
        return RECORD_NO_MEMORY;
    }
    close_output(state, buf, start);
    return RECORD_KEPT;
}

static enum verdict run_step(const struct steps *steps, struct steps_state *state, size_t i)
{
    const struct step *step = &steps->list[i];
    switch (step->kind) {
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        return run_regex(state, &step->regex, state->captures[i]);
    case OPERATION_SUBST:
        return run_subst(state, &step->subst, state->captures[i], step == steps->last_change);
    case OPERATION_PRINT:
        return run_print(state, &step->print, step == steps->last_change);
    }
    return RECORD_KEPT;
}

enum verdict steps_run(const struct steps *steps, struct steps_state *state, size_t first,
                       const char *record, size_t len)
{
    state->bytes = record;
    state->len = len;
    state->written = false;

    enum verdict verdict = RECORD_KEPT;
    for (size_t i = first; i < steps->count && verdict == RECORD_KEPT; i++) {
        verdict = run_step(steps, state, i);
    }
    if (verdict != RECORD_KEPT) {
        emitter_revert(state->emitter);
        return verdict;
    }
    if (state->bytes == record) {
        return RECORD_KEPT;
    }
    if (!state->written) { // the last step that could change it did not
        struct buf *own = emitter_open(state->emitter);
        if (own == NULL || buf_append(own, state->bytes, state->len) != 0) {
            return RECORD_NO_MEMORY;
        }
    }
    return RECORD_CHANGED;
}

const char *steps_error(const struct steps_state *state)
{
    return matcher_error(state->matcher);
}

int steps_search(const struct steps *steps, struct steps_state *state, const char *lines,
                 size_t len, size_t *offset)
{
    struct captures *captures = NULL;
    if (steps->list[0].kind == OPERATION_MATCH) {
        state->match = captures = state->captures[0];
        state->subject = lines;
    }
    return regex_search(steps->head, state->matcher, captures, lines, len, offset);
}

void steps_rest(struct steps_state *state)
{
    for (size_t i = 0; i < BUFS; i++) {
        release_large(&state->bufs[i]);
    }
}
