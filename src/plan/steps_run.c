// SPDX-License-Identifier: BSD-2-Clause
// The way of a record through the list of operations.

#include "plan/steps_state.h"

#include "core/failure.h"
#include "core/records.h"
#include "core/result.h"
#include "plan/regex.h"
#include "plan/template.h"

#include <string.h>

// Memory for changed records that a worker keeps for the next task.
#define KEEP_BYTES ((size_t)1024 * 1024)

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

// --- plugins

// Call the plugin with the record. `error` has room for the reason if it fails.
static inline int call_plugin(const struct op_plugin *op, struct step_state *own,
                              const struct pproc_record *record, char *error)
{
    error[0] = '\0';
    own->outlet.saved = false;
    return op->plugin->record(own->plugin, record, &own->outlet.output, error);
}

// What the record has come to when the call has ended so.
static enum verdict judge(struct steps_state *state, const struct op_plugin *op, int end,
                          char error[static PPROC_PLUGIN_ERROR_SIZE])
{
    if (state->trouble == RECORD_KEPT && end != PPROC_DONE) {
        op_plugin_reason(error);
        memcpy(state->error, error, sizeof(state->error));
        state->failed = op;
        state->trouble = end == PPROC_FAILED_RETRY ? RECORD_RETRIABLE : RECORD_FAILED;
    }
    return state->trouble != RECORD_KEPT ? state->trouble : RECORD_DROPPED;
}

// Run the plugin that is number `i`, and all behind it. Nothing is left then of the record itself.
static enum verdict run_plugin(struct steps_state *state, size_t i)
{
    const struct op_plugin *op = &state->steps->list[i].plugin;
    struct pproc_record record = {state->way.bytes, state->way.len, state->attempt};
    char error[PPROC_PLUGIN_ERROR_SIZE];
    int end = call_plugin(op, &state->list[i], &record, error);
    return judge(state, op, end, error);
}

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

// Whatever it is but the record as it came.
static int emit_other(struct outlet *outlet, const char *bytes, size_t len)
{
    struct steps_state *state = outlet->state;
    if (state->trouble != RECORD_KEPT) {
        return PPROC_FAILED;
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

int steps_emit(struct pproc_output *output, const char *bytes, size_t len)
{
    struct outlet *outlet = (struct outlet *)output;
    struct steps_state *state = outlet->state;
    if (bytes != state->record || len != state->record_len || state->outputs > 0 ||
        outlet->next < state->steps->count) {
        return emit_other(outlet, bytes, len);
    }
    state->as_it_came = true; // usual where a plugin only drops, and quick
    state->outputs = 1;
    return PPROC_DONE;
}

// What plugins put out is what has become of the record.
static enum verdict sum_up(const struct steps_state *state)
{
    return state->outputs == 0 ? RECORD_DROPPED : state->as_it_came ? RECORD_KEPT : RECORD_CHANGED;
}

// The record begins its way.
static inline void begin(struct steps_state *state, const char *record, size_t len)
{
    state->way.bytes = state->record = record;
    state->way.len = state->record_len = len;
    state->way.written = false;
    state->way.bufs = state->bufs;
    state->failed = NULL;
    state->trouble = RECORD_KEPT;
    state->outputs = 0;
    state->as_it_came = false;
    state->cuts.len = 0;
}

// It has ended it.
static enum verdict finish(struct steps_state *state, enum verdict verdict)
{
    if (verdict == RECORD_DROPPED && state->steps->last_plugin != NULL) {
        verdict = sum_up(state);
    }
    if (verdict != RECORD_KEPT && verdict != RECORD_CHANGED) {
        emitter_revert(state->emitter);
    }
    return verdict;
}

enum verdict steps_run(struct steps_state *state, size_t first, const char *record, size_t len)
{
    begin(state, record, len);
    return finish(state, run_on(state, first));
}

bool steps_is_last_plugin(const struct steps *steps, size_t i)
{
    return i + 1 == steps->count && steps->list[i].kind == OPERATION_PLUGIN;
}

enum verdict steps_keep(struct steps_state *state, struct records *records, const char *to,
                        _Atomic uint64_t *progress, uint64_t *count, struct record *record)
{
    size_t last = state->steps->count - 1;
    const struct op_plugin *op = &state->steps->list[last].plugin;
    struct pproc_record in = {.attempt = state->attempt};
    char error[PPROC_PLUGIN_ERROR_SIZE];
    for (*count = 0; records->next < to && records_next(records, record); ++*count) {
        records_tell(records, record, progress);
        begin(state, record->bytes, record->len);
        in.bytes = record->bytes;
        in.len = record->len;
        int end = call_plugin(op, &state->list[last], &in, error);
        if (end != PPROC_DONE || state->trouble != RECORD_KEPT || !state->as_it_came) {
            return finish(state, judge(state, op, end, error));
        }
        size_t len = (size_t)(record->next - record->bytes);
        if (emitter_keep(state->emitter, record->bytes, len) != 0) {
            return RECORD_NO_MEMORY;
        }
    }
    return RECORD_KEPT;
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
