// SPDX-License-Identifier: BSD-2-Clause
// The plan: the operations are compiled, and workers get what they need to run them.

#include "plan/plan.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "command/names.h"
#include "command/tag.h"
#include "plan/classify.h"
#include "plan/plan_state.h"
#include "plan/regex.h"
#include "plan/steps.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct regex *key_create(const struct settings *settings)
{
    struct regex *key = regex_create("--key", settings->key, settings->utf ? REGEX_UTF : 0);
    if (key != NULL && regex_groups(key) == 0) {
        diag_error("--key: '%s' has no group: put ( ) around the key", settings->key);
        regex_destroy(key);
        return NULL;
    }
    return key;
}

struct plan *plan_create(const struct settings *settings)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL) {
        diag_error("no memory for the operations");
        return NULL;
    }
    plan->max_record = settings->max_record;
    plan->delimiter = settings->delimiter;
    plan->count_only = settings->count;
    plan->retries = settings->retries;
    if (settings->record_start != NULL) {
        plan->record_start =
            regex_create("--record-start", settings->record_start, settings->utf ? REGEX_UTF : 0);
    }
    plan->tags_apart = settings->mode == MODE_COPROC;
    bool tags = settings->tag != NULL && (settings->mode == MODE_NONE || plan->tags_apart);
    plan->tag = tags ? tag_create(settings) : NULL;
    bool priorities = settings->priority_count > 0 || settings->priority_by != NULL;
    plan->classes = priorities ? classes_create(settings) : NULL;
    plan->steps = steps_create(settings);
    plan->key = settings->key != NULL ? key_create(settings) : NULL;
    if (plan->steps == NULL || (tags && plan->tag == NULL) ||
        (priorities && plan->classes == NULL) || (settings->key != NULL && plan->key == NULL) ||
        (settings->record_start != NULL && plan->record_start == NULL)) {
        plan_destroy(plan);
        return NULL;
    }
    return plan;
}

void plan_destroy(struct plan *plan)
{
    if (plan != NULL) {
        regex_destroy(plan->record_start);
        regex_destroy(plan->key);
        classes_destroy(plan->classes);
        steps_destroy(plan->steps);
        tag_destroy(plan->tag);
        free(plan);
    }
}

const struct regex *plan_record_start(const struct plan *plan)
{
    return plan->record_start;
}

const struct regex *plan_key(const struct plan *plan)
{
    return plan->key;
}

const struct classes *plan_classes(const struct plan *plan)
{
    return plan->classes;
}

const struct pproc_plugin *plan_plugin(const struct plan *plan, size_t i)
{
    const struct step *step = &plan->steps->list[i];
    return step->kind == OPERATION_PLUGIN ? step->plugin.plugin : NULL;
}

int plan_name_columns(struct plan *plan, const char *header, size_t len)
{
    return plan->tag != NULL ? tag_set_header(plan->tag, names_line(header, len, plan->delimiter))
                             : 0;
}

struct plan_state *plan_state_create(const struct plan *plan, unsigned slot)
{
    struct plan_state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return NULL;
    }
    emitter_init(&state->emitter);
    state->emitter.discard = plan->count_only;
    state->slot = slot;
    state->progress = &state->unwatched;
    errno = ENOMEM;
    state->tag = plan->tag != NULL ? tag_state_create() : NULL;
    if (state->tag != NULL || plan->tag == NULL) {
        state->steps = steps_state_create(plan->steps, &state->emitter, slot);
    }
    if (state->steps == NULL) {
        int error = errno;
        plan_state_destroy(state);
        errno = error;
        return NULL;
    }
    return state;
}

void plan_state_destroy(struct plan_state *state)
{
    if (state != NULL) {
        steps_state_destroy(state->steps);
        tag_state_destroy(state->tag);
        cause_unref(state->retriable.cause);
        buf_free(&state->changed);
        buf_free(&state->tags);
        emitter_destroy(&state->emitter);
        free(state->survivors.records);
        free(state->survivors.begins);
        free(state);
    }
}

void plan_state_watch(struct plan_state *state, _Atomic uint64_t *progress)
{
    state->progress = progress;
}

const struct retriable *plan_retriable(const struct plan_state *state)
{
    return &state->retriable;
}
