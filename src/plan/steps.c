// SPDX-License-Identifier: BSD-2-Clause
// The list of operations.

#include "plan/steps.h"

#include "base/buf.h"
#include "base/diag.h"
#include "core/failure.h"
#include "core/result.h"
#include "plan/regex.h"
#include "plan/template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Memory for changed records that a worker keeps for the next task.
#define KEEP_BYTES ((size_t)1024 * 1024)

// The record as it is, what the captures refer to, and the record to be.
#define BUFS 3

// What a worker has for one operation.
struct step_state {
    struct captures *captures; // NULL where none are needed
    bool open;                 // it is a plugin, with this state
    void *plugin;
};

// A record on its way.
struct way {
    const char *bytes;
    size_t len;
    bool written;           // it is the last of the emitter's own bytes
    struct captures *match; // of the last match whose captures are used,
    const char *subject;    // and what they refer to
    struct buf *bufs;       // BUFS records that were made since the last plugin
};

struct steps_state {
    const struct steps *steps;
    struct matcher *matcher; // NULL without operations
    struct emitter *emitter;
    struct buf *bufs; // BUFS, and as many behind each plugin, which waits with its own record
    size_t buf_count;
    struct way way;
    unsigned attempt;

    // What plugins make of one record.
    const char *record; // as it came
    size_t record_len;
    size_t outputs;       // how many records were put out; each but the last ends at a cut,
    bool as_it_came;      // but nothing was written: the only one is the record itself
    struct buf cuts;      // places among its uncommitted bytes, size_t
    enum verdict trouble; // that ended it, or RECORD_KEPT

    const struct op_plugin *failed;      // the plugin that did; NULL: a pattern
    char error[PPROC_PLUGIN_ERROR_SIZE]; // its reason

    size_t count;
    struct step_state list[]; // of each operation
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
        if (step_state_init(&state->list[state->count++], step, slot) != 0) {
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

// --- the way of a record

// Does the buffer hold what is still needed?
static bool is_used(const struct way *way, const struct buf *buf)
{
    return buf->bytes != NULL && (buf->bytes == way->bytes || buf->bytes == way->subject);
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
    const struct way *way = &state->way;
    struct buf *buf = way->bufs;
    if (last) {
        buf = emitter_open(state->emitter);
    } else {
        while (is_used(way, buf)) {
            buf++;
        }
        buf->len = 0;
    }
    return buf != NULL && buf_reserve(buf, way->len + 1) == 0 ? buf : NULL;
}

// From now on the record is what was put behind the first `start` bytes.
static void close_output(struct steps_state *state, const struct buf *buf, size_t start)
{
    struct way *way = &state->way;
    way->bytes = buf->bytes + start;
    way->len = buf->len - start;
    way->written = buf == &state->emitter->own;
    for (size_t i = 0; i < BUFS && !way->written; i++) {
        if (!is_used(way, &way->bufs[i])) {
            release_large(&way->bufs[i]);
        }
    }
}

// Append to the emitter's own bytes. Returns 0, or -1: no memory.
static int append_own(struct steps_state *state, const char *bytes, size_t len)
{
    struct buf *own = emitter_open(state->emitter);
    return own != NULL ? buf_append(own, bytes, len) : -1;
}

static enum verdict run_regex(struct steps_state *state, const struct op_regex *op,
                              struct captures *captures)
{
    struct way *way = &state->way;
    int kept = op_regex_keeps(op, state->matcher, captures, way->bytes, way->len);
    if (captures != NULL) {
        way->match = captures;
        way->subject = way->bytes;
    }
    return kept < 0 ? RECORD_FAILED : kept > 0 ? RECORD_KEPT : RECORD_DROPPED;
}

static enum verdict run_subst(struct steps_state *state, const struct op_subst *op,
                              struct captures *captures, bool last)
{
    const char *bytes = state->way.bytes;
    size_t len = state->way.len;
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
    const struct way *way = &state->way;
    const size_t whole[] = {0, way->len}, *offsets = whole;
    const char *subject = way->bytes;
    if (op->of_match) {
        offsets = way->match->offsets;
        subject = way->subject;
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
        return run_regex(state, &step->regex, state->list[i].captures);
    case OPERATION_SUBST:
        return run_subst(state, &step->subst, state->list[i].captures, step == steps->last_change);
    case OPERATION_PRINT:
        return run_print(state, &step->print, step == steps->last_change);
    case OPERATION_PLUGIN: // see run_on()
        break;
    }
    return RECORD_KEPT;
}

static enum verdict run_plugin(struct steps_state *state, size_t i);

// Take the record on its way through the operations from number `i` on.
static enum verdict run_on(struct steps_state *state, size_t i)
{
    const struct steps *steps = state->steps;
    enum verdict verdict = RECORD_KEPT;
    for (; i < steps->count && verdict == RECORD_KEPT; i++) {
        if (steps->list[i].kind == OPERATION_PLUGIN) {
            return run_plugin(state, i);
        }
        verdict = run_step(steps, state, i);
    }
    const struct way *way = &state->way;
    if (verdict != RECORD_KEPT || (way->bytes == state->record && way->len == state->record_len)) {
        return verdict;
    }
    return way->written || append_own(state, way->bytes, way->len) == 0 ? RECORD_CHANGED
                                                                        : RECORD_NO_MEMORY;
}

// --- plugins

// What a plugin is called with puts out here.
struct outlet {
    struct pproc_output output; // first: the plugin knows no more
    struct steps_state *state;
    size_t next;    // number of the operation behind the plugin
    bool saved;     // the state's way has become that of what was put out,
    struct way way; // and this was it: later operations may use its captures
};

// Bytes that were written for the record.
static size_t written_bytes(const struct steps_state *state)
{
    return state->emitter->own.len - state->emitter->own_emitted;
}

// One more record comes behind those that were put out: all of them are written, with a delimiter.
static int separate(struct steps_state *state)
{
    if (state->as_it_came) {
        state->as_it_came = false;
        if (append_own(state, state->record, state->record_len) != 0) {
            return -1;
        }
    }
    size_t cut = written_bytes(state);
    return buf_append(&state->cuts, (const char *)&cut, sizeof(cut)) == 0
               ? append_own(state, &state->steps->delimiter, 1)
               : -1;
}

// What comes behind the last cut is not put out after all.
static void unseparate(struct steps_state *state)
{
    size_t cut = 0;
    if (state->outputs > 0) {
        state->cuts.len -= sizeof(cut);
        memcpy(&cut, state->cuts.bytes + state->cuts.len, sizeof(cut));
    }
    state->emitter->own.len = state->emitter->own_emitted + cut;
}

// The last plugin puts out a record: what becomes of it behind the plugin goes to the output.
static enum verdict put_out(struct steps_state *state, size_t next)
{
    if (state->outputs > 0 && separate(state) != 0) {
        return RECORD_NO_MEMORY;
    }
    enum verdict verdict = run_on(state, next);
    if (verdict == RECORD_KEPT) {
        state->as_it_came = state->outputs == 0;
        if (!state->as_it_came && append_own(state, state->record, state->record_len) != 0) {
            return RECORD_NO_MEMORY;
        }
    }
    if (verdict == RECORD_DROPPED) {
        unseparate(state);
    } else {
        state->outputs++;
    }
    return verdict;
}

// A record that a plugin puts out is on its way now.
static void enter_way(struct outlet *outlet, const char *bytes, size_t len)
{
    struct way *way = &outlet->state->way;
    if (!outlet->saved) {
        outlet->saved = true;
        outlet->way = *way;
    }
    *way = outlet->way;
    way->bytes = bytes;
    way->len = len;
    way->bufs += BUFS;
}

static int emit(struct pproc_output *output, const char *bytes, size_t len)
{
    struct outlet *outlet = (struct outlet *)output;
    struct steps_state *state = outlet->state;
    if (state->trouble != RECORD_KEPT) {
        return PPROC_FAILED;
    }
    bool behind = outlet->next < state->steps->count; // there are more operations
    if (!behind && state->outputs == 0 && bytes == state->record && len == state->record_len) {
        state->as_it_came = true;
        state->outputs = 1;
        return PPROC_DONE;
    }
    enter_way(outlet, bytes != NULL ? bytes : "", len);
    bool last = &state->steps->list[outlet->next - 1] == state->steps->last_plugin;
    enum verdict verdict = last ? put_out(state, outlet->next) : run_on(state, outlet->next);
    if (verdict <= RECORD_DROPPED) {
        return PPROC_DONE;
    }
    state->trouble = verdict;
    return PPROC_FAILED;
}

// Run the plugin that is number `i`, and all behind it. Nothing is left then of the record itself.
static enum verdict run_plugin(struct steps_state *state, size_t i)
{
    const struct op_plugin *op = &state->steps->list[i].plugin;
    struct outlet outlet; // all of it would take as long as a plugin that does little
    outlet.output.emit = emit;
    outlet.state = state;
    outlet.next = i + 1;
    outlet.saved = false;
    struct pproc_record record = {state->way.bytes, state->way.len, state->attempt};
    char error[PPROC_PLUGIN_ERROR_SIZE];
    error[0] = '\0';
    int end = op->plugin->record(state->list[i].plugin, &record, &outlet.output, error);
    if (state->trouble == RECORD_KEPT && end != PPROC_DONE) {
        op_plugin_reason(error);
        memcpy(state->error, error, sizeof(error));
        state->failed = op;
        state->trouble = end == PPROC_FAILED_RETRY ? RECORD_RETRIABLE : RECORD_FAILED;
    }
    return state->trouble != RECORD_KEPT ? state->trouble : RECORD_DROPPED;
}

// What plugins put out is what has become of the record.
static enum verdict sum_up(const struct steps_state *state)
{
    return state->outputs == 0 ? RECORD_DROPPED : state->as_it_came ? RECORD_KEPT : RECORD_CHANGED;
}

enum verdict steps_run(const struct steps *steps, struct steps_state *state, size_t first,
                       const char *record, size_t len)
{
    state->way.bytes = state->record = record;
    state->way.len = state->record_len = len;
    state->way.written = false;
    state->way.bufs = state->bufs;
    if (steps->last_plugin != NULL) {
        state->failed = NULL;
        state->trouble = RECORD_KEPT;
        state->outputs = 0;
        state->as_it_came = false;
        state->cuts.len = 0;
    }
    enum verdict verdict = run_on(state, first);
    if (verdict == RECORD_DROPPED && steps->last_plugin != NULL) {
        verdict = sum_up(state);
    }
    if (verdict != RECORD_KEPT && verdict != RECORD_CHANGED) {
        emitter_revert(state->emitter);
    }
    return verdict;
}

struct cause *steps_cause(const struct steps_state *state)
{
    if (state->failed == NULL) {
        return cause_create(ERROR_REGEX, "%s", matcher_error(state->matcher));
    }
    return state->error[0] != '\0'
               ? cause_create(ERROR_PLUGIN, "%s", state->error)
               : cause_create(ERROR_PLUGIN, "%s does not say why", state->failed->plugin->name);
}

const size_t *steps_cuts(const struct steps_state *state, size_t *count)
{
    *count = state->cuts.len / sizeof(size_t);
    return (const size_t *)(const void *)state->cuts.bytes;
}

int steps_search(const struct steps *steps, struct steps_state *state, const char *lines,
                 size_t len, size_t *offset)
{
    struct captures *captures = NULL;
    if (steps->list[0].kind == OPERATION_MATCH) {
        state->way.match = captures = state->list[0].captures;
        state->way.subject = lines;
    }
    return regex_search(steps->head, state->matcher, captures, lines, len, offset);
}

void steps_rest(struct steps_state *state)
{
    for (size_t i = 0; i < state->buf_count; i++) {
        release_large(&state->bufs[i]);
    }
    release_large(&state->cuts);
}
