// SPDX-License-Identifier: BSD-2-Clause
// The list of operations, and what a worker needs for it.

#include "plan/steps_state.h"

#include "base/diag.h"
#include "core/result.h"
#include "plan/regex.h"

#include <errno.h>
#include <stdlib.h>

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
    case OPERATION_PLUGIN:
        return op_plugin_init(&step->plugin, operation->pattern);
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
    case OPERATION_PLUGIN:
        op_plugin_destroy(&step->plugin);
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
    case OPERATION_PLUGIN:
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
        if (step->kind == OPERATION_PLUGIN) {
            steps->last_plugin = step;
            steps->plugins++;
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
    steps->delimiter = settings->delimiter;
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

// Returns 0, or -1 with errno set.
static int step_state_init(struct step_state *state, const struct step *step, unsigned slot)
{
    bool needed = false;
    switch (step->kind) {
    case OPERATION_SUBST:
        needed = true;
        state->captures = op_subst_captures(&step->subst);
        break;
    case OPERATION_MATCH:
    case OPERATION_EXCLUDE:
        needed = step->regex.pairs > 0;
        state->captures = needed ? captures_create(step->regex.pairs) : NULL;
        break;
    case OPERATION_PLUGIN:
        state->open = op_plugin_open(&step->plugin, slot, &state->plugin) == 0;
        errno = ECANCELED;
        return state->open ? 0 : -1;
    case OPERATION_PRINT:
        break;
    }
    errno = ENOMEM;
    return needed && state->captures == NULL ? -1 : 0;
}

static int steps_state_init(struct steps_state *state, unsigned slot)
{
    const struct steps *steps = state->steps;
    state->buf_count = (steps->plugins + 1) * BUFS;
    state->bufs = calloc(state->buf_count, sizeof(*state->bufs));
    state->matcher = steps->count > 0 ? matcher_create() : NULL;
    if (state->bufs == NULL || (state->matcher == NULL && steps->count > 0)) {
        errno = ENOMEM;
        return -1;
    }
    while (state->count < steps->count) {
        const struct step *step = &steps->list[state->count];
        struct step_state *own = &state->list[state->count++];
        own->outlet = (struct outlet){.output = {steps_emit}, .state = state, .next = state->count};
        if (step_state_init(own, step, slot) != 0) {
            return -1;
        }
    }
    return 0;
}

struct steps_state *steps_state_create(const struct steps *steps, struct emitter *emitter,
                                       unsigned slot)
{
    size_t bytes = sizeof(struct steps_state) + steps->count * sizeof(struct step_state);
    struct steps_state *state = calloc(1, bytes);
    if (state == NULL) {
        return NULL;
    }
    state->steps = steps;
    state->emitter = emitter;
    if (steps_state_init(state, slot) != 0) {
        int error = errno;
        steps_state_destroy(state);
        errno = error;
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
        captures_destroy(state->list[i].captures);
        if (state->list[i].open) {
            op_plugin_close(&state->steps->list[i].plugin, state->list[i].plugin);
        }
    }
    for (size_t i = 0; state->bufs != NULL && i < state->buf_count; i++) {
        buf_free(&state->bufs[i]);
    }
    free(state->bufs);
    buf_free(&state->cuts);
    matcher_destroy(state->matcher);
    free(state);
}

void steps_set_attempt(struct steps_state *state, unsigned attempt)
{
    state->attempt = attempt;
}
