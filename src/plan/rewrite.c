// SPDX-License-Identifier: BSD-2-Clause
// The way of each record through operations that may change it.

#include "plan/rewrite.h"

#include "base/buf.h"
#include "base/diag.h"
#include "cli/settings.h"
#include "core/records.h"
#include "plan/op_regex.h"
#include "plan/op_subst.h"
#include "plan/regex.h"
#include "plan/template.h"

#include <stdlib.h>
#include <string.h>

// Memory for changed records that a worker keeps for the next task.
#define KEEP_BYTES ((size_t)1024 * 1024)

struct step {
    enum operation_kind kind;
    struct regex *regex;       // match and exclude
    unsigned pairs;            // match: of captures that later operations use; 0: none does
    struct op_subst subst;     // substitute
    struct template *template; // print
    const struct step *source; // print: the match whose captures it uses; NULL: the whole record
};

struct rewrite {
    const struct step *last_change; // the last step that changes records
    size_t count;
    struct step steps[]; // in the order given
};

// What a step has of its own in each worker.
struct place {
    struct captures *captures; // match and substitute
    const char *subject;       // match: what the captures refer to
    struct buf buf;            // substitute and print: the record that was made
};

struct rewrite_state {
    size_t count;
    struct place places[];
};

// --- making of the steps

bool rewrite_wanted(const struct settings *settings)
{
    for (size_t i = 0; i < settings->operation_count; i++) {
        enum operation_kind kind = settings->operations[i].kind;
        if (kind == OPERATION_SUBST || kind == OPERATION_PRINT) {
            return true;
        }
    }
    return false;
}

// `match` is the last match before it, or NULL.
static int print_init(struct step *step, const char *text, struct step *match)
{
    step->template = template_create("--print", text, match != NULL ? match->regex : NULL);
    if (step->template == NULL) {
        return -1;
    }
    step->source = match;
    if (match != NULL && match->pairs < template_pairs(step->template)) {
        match->pairs = template_pairs(step->template);
    }
    return 0;
}

static int step_init(struct step *step, const struct operation *operation, unsigned flags,
                     struct step *match)
{
    step->kind = operation->kind;
    switch (operation->kind) {
    case OPERATION_MATCH:
        step->regex = regex_create("--match", operation->pattern, flags);
        return step->regex != NULL ? 0 : -1;
    case OPERATION_EXCLUDE:
        step->regex = regex_create("--exclude", operation->pattern, flags);
        return step->regex != NULL ? 0 : -1;
    case OPERATION_SUBST:
        return op_subst_init(&step->subst, operation->pattern, flags);
    case OPERATION_PRINT:
        return print_init(step, operation->pattern, match);
    }
    return -1;
}

static bool changes(const struct step *step)
{
    return step->kind == OPERATION_SUBST || step->kind == OPERATION_PRINT;
}

struct rewrite *rewrite_create(const struct settings *settings, unsigned flags)
{
    size_t count = settings->operation_count;
    struct rewrite *rewrite = calloc(1, sizeof(*rewrite) + count * sizeof(rewrite->steps[0]));
    if (rewrite == NULL) {
        diag_error("no memory for the operations");
        return NULL;
    }
    struct step *match = NULL;
    while (rewrite->count < count) {
        struct step *step = &rewrite->steps[rewrite->count];
        if (step_init(step, &settings->operations[rewrite->count++], flags, match) != 0) {
            rewrite_destroy(rewrite);
            return NULL;
        }
        if (step->kind == OPERATION_MATCH) {
            match = step;
        } else if (changes(step)) {
            rewrite->last_change = step;
        }
    }
    return rewrite;
}

void rewrite_destroy(struct rewrite *rewrite)
{
    if (rewrite == NULL) {
        return;
    }
    for (size_t i = 0; i < rewrite->count; i++) {
        regex_destroy(rewrite->steps[i].regex);
        op_subst_destroy(&rewrite->steps[i].subst);
        template_destroy(rewrite->steps[i].template);
    }
    free(rewrite);
}

// False: no memory.
static bool place_init(struct place *place, const struct step *step)
{
    if (step->kind == OPERATION_SUBST) {
        place->captures = op_subst_captures(&step->subst);
    } else if (step->pairs > 0) {
        place->captures = captures_create(step->pairs);
    } else {
        return true;
    }
    return place->captures != NULL;
}

struct rewrite_state *rewrite_state_create(const struct rewrite *rewrite)
{
    size_t bytes = sizeof(struct rewrite_state) + rewrite->count * sizeof(struct place);
    struct rewrite_state *state = calloc(1, bytes);
    if (state == NULL) {
        return NULL;
    }
    for (; state->count < rewrite->count; state->count++) {
        if (!place_init(&state->places[state->count], &rewrite->steps[state->count])) {
            rewrite_state_destroy(state);
            return NULL;
        }
    }
    return state;
}

void rewrite_state_destroy(struct rewrite_state *state)
{
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        captures_destroy(state->places[i].captures);
        buf_free(&state->places[i].buf);
    }
    free(state);
}

// --- running them

// A task on its way.
struct walk {
    const struct rewrite *rewrite;
    struct rewrite_state *state;
    struct matcher *matcher;
    struct emitter *emitter;
    const char *kept;   // from here to `record` all are kept as they are, and not emitted yet
    const char *record; // the one on its way, as it was read,
    const char *bytes;  // and as it is now
    size_t len;
    bool written; // `bytes` are the last of the emitter's own
};

enum fate {
    FATE_KEPT,
    FATE_DROPPED,
    FATE_FAILED,    // matcher_error() says why
    FATE_NO_MEMORY, // the task cannot be finished
};

static int emit_kept(struct walk *walk)
{
    const char *kept = walk->kept;
    walk->kept = walk->record;
    return kept < walk->record ? emitter_keep(walk->emitter, kept, (size_t)(walk->record - kept))
                               : 0;
}

// Where a step puts the record that it makes, at the end; some room is there already. NULL: no
// memory.
static struct buf *open_output(struct walk *walk, const struct step *step)
{
    struct buf *buf = &walk->state->places[step - walk->rewrite->steps].buf;
    if (step == walk->rewrite->last_change) {
        if (emit_kept(walk) != 0) {
            return NULL;
        }
        buf = &walk->emitter->own;
    } else {
        buf->len = 0;
    }
    return buf_reserve(buf, walk->len + 1) == 0 ? buf : NULL;
}

// From now on the record is what was put behind the first `start` bytes.
static void close_output(struct walk *walk, const struct buf *buf, size_t start)
{
    walk->bytes = buf->bytes + start;
    walk->len = buf->len - start;
    walk->written = buf == &walk->emitter->own;
}

static enum fate run_match(struct walk *walk, const struct step *step, struct place *place)
{
    int found;
    if (step->pairs > 0) {
        place->subject = walk->bytes;
        found = regex_find(step->regex, walk->matcher, place->captures, walk->bytes, walk->len, 0,
                           false);
    } else {
        found = regex_match(step->regex, walk->matcher, walk->bytes, walk->len);
    }
    if (found < 0) {
        return FATE_FAILED;
    }
    return (found > 0) == (step->kind == OPERATION_MATCH) ? FATE_KEPT : FATE_DROPPED;
}

static enum fate run_subst(struct walk *walk, const struct step *step, struct place *place)
{
    const struct op_subst *subst = &step->subst;
    int found = op_subst_find(subst, walk->matcher, place->captures, walk->bytes, walk->len);
    if (found <= 0) {
        return found == 0 ? FATE_KEPT : FATE_FAILED;
    }
    struct buf *buf = open_output(walk, step);
    if (buf == NULL) {
        return FATE_NO_MEMORY;
    }
    size_t start = buf->len;
    switch (op_subst_append(subst, walk->matcher, place->captures, walk->bytes, walk->len, buf)) {
    case SUBST_GAVE_UP:
        return FATE_FAILED;
    case SUBST_NO_MEMORY:
        return FATE_NO_MEMORY;
    case SUBST_DONE:
        break;
    }
    close_output(walk, buf, start);
    return FATE_KEPT;
}

static enum fate run_print(struct walk *walk, const struct step *step)
{
    const size_t whole[] = {0, walk->len}, *offsets = whole;
    const char *subject = walk->bytes;
    if (step->source != NULL) {
        const struct place *source = &walk->state->places[step->source - walk->rewrite->steps];
        offsets = captures_offsets(source->captures);
        subject = source->subject;
    }
    struct buf *buf = open_output(walk, step);
    if (buf == NULL) {
        return FATE_NO_MEMORY;
    }
    size_t start = buf->len;
    if (template_append(step->template, subject, offsets, buf) != 0) {
        return FATE_NO_MEMORY;
    }
    close_output(walk, buf, start);
    return FATE_KEPT;
}

static enum fate run_steps(struct walk *walk)
{
    enum fate fate = FATE_KEPT;
    for (size_t i = 0; i < walk->rewrite->count && fate == FATE_KEPT; i++) {
        const struct step *step = &walk->rewrite->steps[i];
        struct place *place = &walk->state->places[i];
        switch (step->kind) {
        case OPERATION_MATCH:
        case OPERATION_EXCLUDE:
            fate = run_match(walk, step, place);
            break;
        case OPERATION_SUBST:
            fate = run_subst(walk, step, place);
            break;
        case OPERATION_PRINT:
            fate = run_print(walk, step);
            break;
        }
    }
    return fate;
}

// Emit the record as it is now. `ending` is its delimiter, or nothing.
static int emit_changed(struct walk *walk, const char *ending, size_t ending_len)
{
    struct buf *own = &walk->emitter->own;
    if (!walk->written) {
        if (emit_kept(walk) != 0 || buf_append(own, walk->bytes, walk->len) != 0) {
            return -1;
        }
    }
    if (buf_append(own, ending, ending_len) != 0) {
        return -1;
    }
    return emitter_commit(walk->emitter);
}

// Take one record through the steps; `next` is the one behind it. Returns 0, or -1: no memory.
static int run_record(struct walk *walk, size_t len, const char *next, struct result *result)
{
    const char *stop = walk->record + len;
    walk->bytes = walk->record;
    walk->len = len;
    walk->written = false;

    int status = 0;
    switch (run_steps(walk)) {
    case FATE_KEPT:
        if (next == stop) {
            walk->emitter->unterminated = !walk->emitter->discard;
        }
        if (walk->bytes == walk->record) {
            return 0;
        }
        status = emit_changed(walk, stop, (size_t)(next - stop));
        break;
    case FATE_DROPPED:
        emitter_revert(walk->emitter);
        result->tally.dropped++;
        status = emit_kept(walk);
        break;
    case FATE_FAILED:
        emitter_revert(walk->emitter);
        status = op_regex_fail(walk->matcher, result, walk->record, len);
        if (status == 0) {
            status = emit_kept(walk);
        }
        break;
    case FATE_NO_MEMORY:
        return -1;
    }
    walk->kept = next;
    return status;
}

// A record of extraordinary length shall not cost memory for the rest of the run.
static void release_large(struct rewrite_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->places[i].buf.cap > KEEP_BYTES) {
            buf_free(&state->places[i].buf);
        }
    }
}

int rewrite_run(const struct rewrite *rewrite, struct rewrite_state *state, struct matcher *matcher,
                struct emitter *emitter, struct result *result)
{
    struct records records = records_of(result);
    struct record record;
    const char *bytes = result_bytes(result);
    struct walk walk = {rewrite, state, matcher, emitter, bytes, bytes, NULL, 0, false};
    struct tally *tally = &result->tally;
    int status = 0;

    while (status == 0 && records_next(&records, &record)) {
        status = run_record(&walk, record.len, record.next, result);
        tally->records++;
        walk.record = record.next;
    }
    tally->emitted = tally->records - tally->dropped - tally->failed;
    release_large(state);
    return status == 0 ? emit_kept(&walk) : -1;
}
