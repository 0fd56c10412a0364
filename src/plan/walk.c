// SPDX-License-Identifier: BSD-2-Clause
// The walk: the records of a task are taken through the operations of the plan.

#include "command/tag.h"
#include "core/records.h"
#include "plan/find_literal.h"
#include "plan/plan_state.h"
#include "plan/regex.h"
#include "plan/steps.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// A buffer that a record of extraordinary length made larger than this is given back.
#define KEEP_BYTES ((size_t)128 * 1024)

// The next record to be counted has failed. The caller's reference of `cause` goes over; NULL:
// there was no memory for it. Returns 0, or -1: no memory.
static int fail_at(struct result *result, const char *record, size_t len, struct cause *cause)
{
    int status =
        cause != NULL ? result_fail(result, result->tally.records, record, len, cause) : -1;
    cause_unref(cause);
    return status;
}

// Likewise, and count it.
static int fail(struct result *result, const char *record, size_t len, struct cause *cause)
{
    int status = fail_at(result, record, len, cause);
    result->tally.records++;
    return status;
}

static struct cause *too_long(const struct plan *plan, uint64_t len)
{
    if (len == OVERSIZE_UNKNOWN) {
        return cause_create(ERROR_TOO_LONG,
                            "it was too long before, and its letter may lack its end: run it "
                            "again from where it came from");
    }
    return cause_create(ERROR_TOO_LONG,
                        "a record of %" PRIu64 " bytes, longer than the limit of %" PRIu64
                        "; --max-record=SIZE raises it",
                        len, plan->max_record);
}

static int fail_too_long(const struct plan *plan, struct result *result)
{
    return fail(result, result_bytes(result), result->task.len,
                too_long(plan, result->task.block->oversize));
}

// With no operation everything passes.
static int pass(struct plan_state *state, struct result *result)
{
    result->tally.records = result->tally.emitted = records_in_task(result);
    return emitter_keep(&state->emitter, result_bytes(result), result->task.len);
}

// What becomes of the records that the operations let through.
enum survival {
    SURVIVAL_EMITTED,
    SURVIVAL_TAGGED, // and then emitted
    SURVIVAL_LISTED,
    SURVIVAL_FAILED,
};

// A task on its way.
struct walk {
    const struct steps *steps;
    struct steps_state *state;
    struct emitter *emitter;
    struct result *result;
    struct records records; // that are still to be decided
    enum survival survival;
    struct cause *cause;           // that they fail with
    const struct tag *tag;         // of tagged lines
    bool tags_apart;               // as in the plan, and there are tags
    struct plan_state *plan_state; // that they are listed in
    bool may_retry;                // a record may be tried again
};

// --- records that the operations let through

// Emit the record that stands at the end of the emitter's own bytes. Its delimiter is that of
// `record`, if that has one.
static int emit_changed(struct walk *walk, const struct record *record)
{
    const char *stop = record->bytes + record->len;
    if (buf_append(&walk->emitter->own, stop, (size_t)(record->next - stop)) != 0) {
        return -1;
    }
    if (record->next == stop) {
        walk->emitter->unterminated = !walk->emitter->discard;
    }
    emitter_commit(walk->emitter);
    return 0;
}

// Emit the lines of the record, each behind its tag.
static int emit_tagged(struct walk *walk, const struct record *record, struct iovec tag,
                       const char *bytes, size_t len)
{
    struct buf *own = emitter_open(walk->emitter);
    const char *end = bytes + len, *stop;
    if (own == NULL) {
        return -1;
    }
    do {
        stop = memchr(bytes, walk->records.delimiter, (size_t)(end - bytes));
        const char *next = stop != NULL ? stop + 1 : end;
        if (buf_append(own, tag.iov_base, tag.iov_len) != 0 ||
            buf_append(own, bytes, (size_t)(next - bytes)) != 0) {
            return -1;
        }
        bytes = next;
    } while (stop != NULL);
    return emit_changed(walk, record);
}

// Make the tag of the record, `text` in it. Returns 0; 1 if the record has failed by it; or -1: no
// memory.
static int make_tag(struct walk *walk, const struct record *record, struct iovec text,
                    struct iovec *tag)
{
    struct plan_state *state = walk->plan_state;
    const struct result *result = walk->result;
    size_t off = result->task.off + (size_t)(record->bytes - result_bytes(result));
    struct values values = values_of(result, off, result->tally.records, &text, 1, state->slot);
    switch (tag_make(walk->tag, state->tag, &values, tag)) {
    case FILL_DONE:
        return 0;
    case FILL_GAVE_UP:
        emitter_revert(walk->emitter);
        return fail_at(walk->result, record->bytes, record->len,
                       cause_create(ERROR_REGEX, "%s", tag_error(state->tag))) == 0
                   ? 1
                   : -1;
    default:
        return -1;
    }
}

// Tag what became of the record: it stands at the end of the emitter's own bytes if it was changed.
static int tag_record(struct walk *walk, const struct record *record, bool changed)
{
    struct plan_state *state = walk->plan_state;
    struct iovec as_read = {.iov_base = (char *)record->bytes, .iov_len = record->len}, tag;
    int made = make_tag(walk, record, as_read, &tag);
    if (made != 0) {
        return made < 0 ? -1 : 0;
    }
    if (!changed) {
        return emit_tagged(walk, record, tag, record->bytes, record->len);
    }
    const struct buf *own = &walk->emitter->own;
    state->changed.len = 0;
    if (buf_append(&state->changed, own->bytes + walk->emitter->own_emitted,
                   own->len - walk->emitter->own_emitted) != 0) {
        return -1;
    }
    emitter_revert(walk->emitter);
    int status = emit_tagged(walk, record, tag, state->changed.bytes, state->changed.len);
    if (state->changed.cap > KEEP_BYTES) {
        buf_free(&state->changed);
    }
    return status;
}

// Keep the tag for what COMMAND makes of the record. Returns as make_tag().
static int keep_tag(struct walk *walk, const struct record *record, bool changed)
{
    const struct emitter *emitter = walk->emitter;
    struct buf *tags = &walk->plan_state->tags;
    struct iovec text = {.iov_base = (char *)record->bytes, .iov_len = record->len}, tag;
    if (changed) {
        text.iov_base = emitter->own.bytes + emitter->own_emitted;
        text.iov_len = emitter->own.len - emitter->own_emitted;
    }
    int made = make_tag(walk, record, text, &tag);
    if (made == 0 &&
        (buf_append(tags, tag.iov_base, tag.iov_len) != 0 || buf_append(tags, "\n", 1) != 0)) {
        return -1;
    }
    return made;
}

static int list_reserve(struct plan_state *state)
{
    struct survivors *list = &state->survivors;
    if (list->count < state->survivors_cap) {
        return 0;
    }
    size_t cap = state->survivors_cap > 0 ? 2 * state->survivors_cap : 16;
    struct iovec *records = realloc(list->records, cap * sizeof(*records));
    if (records != NULL) {
        list->records = records;
    }
    const char **begins = realloc(list->begins, cap * sizeof(*begins));
    if (begins != NULL) {
        list->begins = begins;
    }
    if (records == NULL || begins == NULL) {
        return -1;
    }
    state->survivors_cap = cap;
    return 0;
}

static int list_add(struct walk *walk, const struct record *record, const char *bytes, size_t len)
{
    struct survivors *list = &walk->plan_state->survivors;
    if (list_reserve(walk->plan_state) != 0) {
        return -1;
    }
    list->begins[list->count] = record->bytes;
    list->records[list->count++] = (struct iovec){.iov_base = (char *)bytes, .iov_len = len};
    return 0;
}

// Add what became of a record to the list. What was changed stays among the emitter's bytes, which
// may move: its place is noted when all are there, each with a byte behind it.
static int list_record(struct walk *walk, const struct record *record, bool changed)
{
    struct emitter *emitter = walk->emitter;
    if (!changed) {
        return list_add(walk, record, record->bytes, record->len);
    }
    size_t count, begin = 0;
    const size_t *cuts = steps_cuts(walk->state, &count);
    for (size_t i = 0; i < count; i++) {
        if (list_add(walk, record, NULL, cuts[i] - begin) != 0) {
            return -1;
        }
        begin = cuts[i] + 1;
    }
    size_t end = emitter->own.len - emitter->own_emitted;
    if (list_add(walk, record, NULL, end - begin) != 0 || buf_append(&emitter->own, "", 1) != 0) {
        return -1;
    }
    emitter_commit(emitter);
    return 0;
}

static void list_finish(struct plan_state *state)
{
    char *next = state->emitter.own.bytes;
    for (size_t i = 0; i < state->survivors.count; i++) {
        struct iovec *record = &state->survivors.records[i];
        if (record->iov_base == NULL) {
            record->iov_base = next;
            next += record->iov_len + 1;
        }
    }
}

// Is all to be done with a record to emit it? That is usual, and has to be quick.
static inline bool is_plain(const struct walk *walk)
{
    return walk->survival == SURVIVAL_EMITTED && !walk->tags_apart;
}

static inline int keep(struct walk *walk, const struct record *record)
{
    return emitter_keep(walk->emitter, record->bytes, (size_t)(record->next - record->bytes));
}

static int survive(struct walk *walk, const struct record *record, bool changed)
{
    int made = walk->tags_apart ? keep_tag(walk, record, changed) : 0;
    if (made != 0) {
        return made < 0 ? -1 : 0;
    }
    switch (walk->survival) {
    case SURVIVAL_EMITTED:
        break;
    case SURVIVAL_TAGGED:
        return tag_record(walk, record, changed);
    case SURVIVAL_LISTED:
        return list_record(walk, record, changed);
    case SURVIVAL_FAILED:
        emitter_revert(walk->emitter);
        return result_fail(walk->result, walk->result->tally.records, record->bytes, record->len,
                           walk->cause);
    }
    return changed ? emit_changed(walk, record) : keep(walk, record);
}

// --- record by record

// A plugin asks for another attempt: the walk ends before the record.
static int stop_before(struct walk *walk, const struct record *record)
{
    struct retriable *retriable = &walk->plan_state->retriable;
    cause_unref(retriable->cause);
    retriable->off = (size_t)(record->bytes - result_bytes(walk->result));
    retriable->len = (size_t)(record->next - record->bytes);
    retriable->cause = steps_cause(walk->state);
    return retriable->cause != NULL ? PLAN_RETRIABLE : -1;
}

// Do what is due with a record that the operations are done with. Returns 0, PLAN_RETRIABLE, or -1:
// no memory.
static int settle(struct walk *walk, const struct record *record, enum verdict verdict)
{
    struct tally *tally = &walk->result->tally;
    size_t more;
    int status = 0;
    switch (verdict) {
    case RECORD_KEPT:
        status = is_plain(walk) ? keep(walk, record) : survive(walk, record, false);
        break;
    case RECORD_CHANGED:
        (void)steps_cuts(walk->state, &more);
        tally->more += more;
        status = survive(walk, record, true);
        break;
    case RECORD_DROPPED:
        tally->dropped++;
        break;
    case RECORD_RETRIABLE:
        if (walk->may_retry) {
            return stop_before(walk, record);
        }
        return fail(walk->result, record->bytes, record->len, steps_cause(walk->state));
    case RECORD_FAILED:
        return fail(walk->result, record->bytes, record->len, steps_cause(walk->state));
    case RECORD_NO_MEMORY:
        return -1;
    }
    tally->records++;
    return status;
}

// Take a record through the operations from number `first` on. Likewise.
static int run_record(struct walk *walk, size_t first, const struct record *record)
{
    records_tell(&walk->records, record, walk->plan_state->progress);
    enum verdict verdict = steps_run(walk->state, first, record->bytes, record->len);
    return settle(walk, record, verdict);
}

// Take the records up to `to` through the plugin that is the last operation. What it passes on as
// it came is emitted without a stop.
static int run_last_plugin(struct walk *walk, const char *to)
{
    struct record record;
    uint64_t count;
    int status = 0;
    while (status == 0 && walk->records.next < to) {
        enum verdict verdict = steps_keep(walk->state, &walk->records, to,
                                          walk->plan_state->progress, &count, &record);
        walk->result->tally.records += count;
        if (verdict != RECORD_KEPT) {
            status = settle(walk, &record, verdict);
        }
    }
    return status;
}

// Take the records up to `to` one by one through the operations from number `first` on.
static int run_each(struct walk *walk, const char *to, size_t first)
{
    struct record record;
    int status = 0;
    if (is_plain(walk) && steps_is_last_plugin(walk->steps, first)) {
        return run_last_plugin(walk, to);
    }
    while (status == 0 && walk->records.next < to && records_next(&walk->records, &record)) {
        status = run_record(walk, first, &record);
    }
    return status;
}

// --- searching of whole blocks
//
// The first operation jumps from record to record that it may match. What lies between is one run
// for it.

// Step over the records up to `to`. Returns how many they are.
static uint64_t step_over(struct walk *walk, const char *to)
{
    struct records *records = &walk->records;
    uint64_t count = records_count(records->next, (size_t)(to - records->next), records->delimiter);
    walk->result->tally.records += count;
    records->next = to;
    return count;
}

// The records up to `to` have no match of the first operation.
static int pass_over(struct walk *walk, const char *to)
{
    const char *from = walk->records.next;
    if (walk->steps->list[0].kind == OPERATION_MATCH) {
        walk->result->tally.dropped += step_over(walk, to);
        return 0;
    }
    if (walk->steps->count > 1 || !is_plain(walk)) {
        return run_each(walk, to, 1);
    }
    step_over(walk, to);
    return emitter_keep(walk->emitter, from, (size_t)(to - from));
}

// Take the next record through the operations from number `first` on.
static int run_next(struct walk *walk, size_t first)
{
    struct record record;
    return records_next(&walk->records, &record) ? run_record(walk, first, &record) : 0;
}

// The next record has a match of the first operation.
static int run_matching(struct walk *walk)
{
    struct record record;
    switch (walk->steps->list[0].kind) {
    case OPERATION_MATCH:
        return run_next(walk, 1);
    case OPERATION_EXCLUDE:
        (void)records_next(&walk->records, &record);
        walk->result->tally.records++;
        walk->result->tally.dropped++;
        return 0;
    case OPERATION_SUBST:
    case OPERATION_PRINT:
    case OPERATION_PLUGIN:
        break;
    }
    return run_next(walk, 0);
}

// Where the record around `place` begins.
static const char *record_around(const struct walk *walk, const char *place)
{
    const char *from = walk->records.next;
    const char *before = memrchr(from, '\n', (size_t)(place - from));
    return before != NULL ? before + 1 : from;
}

// Take the records that have the literal, up to the end of the task, through all operations.
static int run_hinted(struct walk *walk, const struct literal *hint)
{
    const char *end = walk->records.end;
    int status = 0;
    while (status == 0 && walk->records.next < end) {
        const char *from = walk->records.next;
        const char *place = literal_find(hint, from, (size_t)(end - from));
        const char *record = place != NULL ? record_around(walk, place) : end;
        if (record > from) {
            status = pass_over(walk, record);
        }
        if (status == 0 && place != NULL) {
            status = run_next(walk, 0);
        }
    }
    return status;
}

// After so many matches in records one after another, as many bytes are taken record by record:
// where nearly every record matches there is nothing to jump over.
#define DENSE_RECORDS 8
#define DENSE_BYTES ((size_t)32 * 1024)

static int run_dense(struct walk *walk)
{
    const struct records *records = &walk->records;
    bool far = (size_t)(records->end - records->next) > DENSE_BYTES;
    return run_each(walk, far ? records->next + DENSE_BYTES : records->end, 0);
}

// Search for matches. Where that cannot tell, the rest goes record by record.
static int run_searched(struct walk *walk)
{
    const char *end = walk->records.end;
    unsigned dense = 0; // records in a row that matched
    int status = 0;
    while (status == 0 && walk->records.next < end) {
        const char *from = walk->records.next, *record = end;
        size_t offset;
        int found = steps_search(walk->steps, walk->state, from, (size_t)(end - from), &offset);
        if (found < 0) {
            return run_each(walk, end, 0);
        }
        if (found) {
            record = record_around(walk, from + offset);
        }
        if (record > from) {
            dense = 0;
            status = pass_over(walk, record);
        }
        if (status == 0 && record < end) { // an empty match can lie behind the last one
            status = run_matching(walk);
        }
        if (status == 0 && ++dense == DENSE_RECORDS) {
            dense = 0;
            status = run_dense(walk);
        }
    }
    return status;
}

// Take all records through all operations.
static int run_records(struct walk *walk)
{
    const struct records *records = &walk->records;
    const struct regex *head = walk->steps->head;
    if (head != NULL && records->ends == NULL) {
        const struct literal *hint =
            regex_hint(head, records->next, (size_t)(records->end - records->next));
        if (hint != NULL) {
            return run_hinted(walk, hint);
        }
        if (regex_searches(head)) {
            return run_searched(walk);
        }
    }
    return run_each(walk, records->end, 0);
}

// --- running of tasks

static struct walk walk_of(const struct plan *plan, struct plan_state *state, struct result *result)
{
    steps_set_attempt(state->steps, result->task.attempts + 1);
    return (struct walk){.steps = plan->steps,
                         .state = state->steps,
                         .emitter = &state->emitter,
                         .result = result,
                         .records = records_of(result),
                         .survival = plan->tag != NULL && !plan->tags_apart ? SURVIVAL_TAGGED
                                                                            : SURVIVAL_EMITTED,
                         .tag = plan->tag,
                         .tags_apart = plan->tag != NULL && plan->tags_apart,
                         .plan_state = state,
                         .may_retry = result->task.attempts < plan->retries};
}

static void finish_tally(struct tally *tally)
{
    tally->emitted = tally->records - tally->dropped - tally->failed;
}

static int run_all(const struct plan *plan, struct plan_state *state, struct result *result)
{
    struct walk walk = walk_of(plan, state, result);
    int status = run_records(&walk);
    finish_tally(&result->tally);
    steps_rest(state->steps);
    return status;
}

// Tags that are apart go along with the output.
static int pass_tags(struct plan_state *state, struct result *result)
{
    struct buf *tags = &state->tags;
    int status = result_tag(result, (struct iovec){.iov_base = tags->bytes, .iov_len = tags->len});
    tags->len = 0;
    if (tags->cap > KEEP_BYTES) {
        buf_free(tags);
    }
    return status;
}

// Without output.
static int run_aside(const struct plan *plan, struct plan_state *state, struct result *result,
                     enum survival survival, struct cause *cause)
{
    emitter_clear(&state->emitter);
    state->tags.len = 0;
    if (result->task.block->oversize != 0) {
        return fail_too_long(plan, result);
    }
    struct walk walk = walk_of(plan, state, result);
    walk.survival = survival;
    walk.cause = cause;
    walk.may_retry = walk.may_retry && cause == NULL; // else all is lost already
    int status = run_each(&walk, walk.records.end, 0);
    finish_tally(&result->tally);
    steps_rest(state->steps);
    return status;
}

int plan_run(const struct plan *plan, struct plan_state *state, struct result *result)
{
    if (result->task.block->oversize != 0) {
        return fail_too_long(plan, result);
    }
    bool passes = plan->steps->count == 0 && plan->tag == NULL;
    state->tags.len = 0;
    int status = passes ? pass(state, result) : run_all(plan, state, result);
    if (status >= 0 &&
        (pass_tags(state, result) != 0 || emitter_finish(&state->emitter, result) != 0)) {
        status = -1;
    }
    if (status < 0) {
        emitter_clear(&state->emitter); // nothing of it may go to the next result
    }
    return status;
}

int plan_list(const struct plan *plan, struct plan_state *state, struct result *result,
              struct survivors *survivors)
{
    state->survivors.count = 0;
    int status = run_aside(plan, state, result, SURVIVAL_LISTED, NULL);
    if (status != 0) {
        return status;
    }
    list_finish(state);
    *survivors = state->survivors;
    return 0;
}

int plan_fail(const struct plan *plan, struct plan_state *state, struct result *result,
              struct cause *cause)
{
    int status = run_aside(plan, state, result, SURVIVAL_FAILED, cause);
    return status == 0 ? pass_tags(state, result) : status; // COMMAND may have said something
}
