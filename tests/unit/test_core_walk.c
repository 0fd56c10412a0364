// SPDX-License-Identifier: BSD-2-Clause
// A random walk over everything that can happen to the core, with the smallest budgets.
//
// After each step: what is charged is what is held, and the output is what it may be by then.
// If the run is not finished, some step must be possible: this finds deadlocks. At the end the
// ledger balances, and nothing is lost, doubled or out of order.
//
// Each record is a letter for its fate and its number, such as "e17":
//   e  is emitted              x  fails whatever is tried, and its whole task with it
//   d  is dropped              r  fails once when it runs alone, and its task with it
//   i  fails, its task goes on
// What d and i are is known before the others of the task are run. In some walks most records fail,
// so that the rest of a batch is doomed by samples.
//
// In some walks there are workers that have several tasks at once, which ask again only when they
// were told to. Some of their processes answer when they want, others only once no more will come.
//
// Half of the walks have records of several lines, which blocks with an index hold. In half of them
// records have priorities, and perhaps grow older.
//
// WALKS=N in the environment: so many walks (default 3000). SEED=N: the first seed.

#include "core/core.h"
#include "core/core_state.h"
#include "core/records.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 64
#define MAX_RECORDS 120
#define MAX_RUNNING 4
#define POLLERS 2
#define WINDOW 3

// A worker that has several tasks at once.
struct poller {
    struct core_worker worker;
    struct result *tasks[WINDOW]; // unanswered, oldest first
    unsigned count;
    bool waits;    // and is not told to ask again
    bool flushing; // its process gives all answers
};

static uint64_t all_passed, all_put_behind, all_doomed, all_halted, all_flushed;

// What a walk knows.
struct walk {
    uint64_t random;
    struct core *core;
    struct core_config config;
    struct block_pool *pool;
    int64_t now;

    char input[MAX_RECORDS * 12]; // all records, a newline after each but perhaps the last
    size_t ends[MAX_RECORDS];     // where they end in it
    size_t input_len, input_read;
    unsigned records, records_read;
    bool indexed;
    bool classified;
    const char *fates; // those that records have
    unsigned statuses; // with how many statuses they fail
    char fate[MAX_RECORDS];
    unsigned keys;             // how many there are
    unsigned key[MAX_RECORDS]; // 0: none
    bool started[MAX_RECORDS], ended[MAX_RECORDS];

    bool reading, writing, threads_wait;
    size_t max_records;
    struct work output; // being written
    struct result *running[MAX_RUNNING];
    unsigned running_count;
    struct poller pollers[POLLERS];
    unsigned poller_count;
    bool pollers_alone; // no other workers
    bool talkative;     // their processes need not be flushed

    bool stopped, broken;
    bool gaps; // between what is emitted there may be records that are not processed
    unsigned emitted[MAX_RECORDS], failed[MAX_RECORDS]; // how often
    uint64_t doomed;                                    // failed without an attempt
    unsigned last_emitted, last_failed;                 // number of the last, from 1
    const char *wrong;                                  // the first thing that was wrong
};

static uint64_t any(struct walk *walk, uint64_t below)
{
    walk->random = walk->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (walk->random >> 33) % below;
}

static void must(struct walk *walk, bool holds, const char *what)
{
    if (!holds && walk->wrong == NULL) {
        walk->wrong = what;
    }
}

static void notify(void *arg)
{
    (void)arg;
}

// --- what the environment of the core does

static void make_input(struct walk *walk)
{
    walk->records = (unsigned)any(walk, MAX_RECORDS);
    for (unsigned i = 0; i < walk->records; i++) {
        char fate = walk->fates[any(walk, strlen(walk->fates))];
        const char *more = walk->indexed ? (const char *[]){"", "\n", ".\n.\n"}[any(walk, 3)] : "";
        walk->fate[i] = fate;
        walk->key[i] = walk->keys > 0 ? (unsigned)any(walk, walk->keys + 1) : 0;
        walk->input_len +=
            (size_t)sprintf(walk->input + walk->input_len, "%c%u\n%s", fate, i, more);
        walk->ends[i] = walk->input_len;
    }
    if (walk->records > 0 && any(walk, 2) == 0) {
        walk->ends[walk->records - 1] = --walk->input_len;
    }
}

// An index of the next `count` records. They begin at byte `start`.
static void index_block(const struct walk *walk, struct block *block, size_t count, size_t start)
{
    block->ends = malloc(count * sizeof(block->ends[0]));
    block->end_count = count;
    for (size_t i = 0; i < count; i++) {
        block->ends[i] = walk->ends[walk->records_read + i] - start;
    }
}

// Spans of the next `count` records. They begin at byte `start`.
static void classify_block(struct walk *walk, struct block *block, size_t count, size_t start)
{
    size_t off = 0;
    block->spans = calloc(count, sizeof(block->spans[0]));
    for (size_t i = 0; i < count; i++) {
        size_t end = walk->ends[walk->records_read + i] - start;
        struct span *last = block->span_count > 0 ? &block->spans[block->span_count - 1] : NULL;
        int level = (int[]){LEVEL_MIN, 0, 0, 0, 7}[any(walk, 5)];
        if (last != NULL && last->level == level) {
            last->end = end;
            last->len = end - last->off;
        } else {
            block->spans[block->span_count++] = (struct span){.block = block,
                                                              .end = end,
                                                              .off = off,
                                                              .len = end - off,
                                                              .index = i,
                                                              .level = level,
                                                              .entered = walk->now};
        }
        off = end;
    }
}

// The keys of the next `count` records.
static void key_block(const struct walk *walk, struct block *block, size_t count)
{
    block->keyed = calloc(count, sizeof(block->keyed[0]));
    block->keyed_count = count;
    for (size_t i = 0; i < count; i++) {
        block->keyed[i].hash = walk->key[walk->records_read + i];
    }
}

static void read_block(struct walk *walk)
{
    size_t start = walk->input_read, end = start, count = 0;
    size_t want = 1 + any(walk, (size_t[]){2, 8}[any(walk, 2)] * BLOCK_SIZE);
    size_t max = walk->max_records > 0 ? walk->max_records : MAX_RECORDS;
    walk->reading = false;
    while (walk->records_read + count < walk->records && count < max && end - start < want) {
        end = walk->ends[walk->records_read + count++];
    }
    if (count == 0) {
        core_eof(walk->core);
        return;
    }
    struct block *block = block_create(walk->pool, end - start);
    block->delimiter = '\n';
    block->offset = start;
    block->len = end - start;
    block->keep_failed = true;
    block->records = walk->max_records > 0 ? count : 0;
    if (walk->indexed) {
        index_block(walk, block, count, start);
    }
    if (walk->classified) {
        classify_block(walk, block, count, start);
    }
    if (walk->keys > 0) {
        key_block(walk, block, count);
    }
    memcpy(block->buf, walk->input + start, block->len);
    walk->input_read = end;
    walk->records_read += (unsigned)count;
    if (walk->config.self_serve && !walk->classified && walk->running_count < MAX_RUNNING &&
        any(walk, 3) == 0) {
        walk->running[walk->running_count++] = core_admit_task(walk->core, block);
    } else {
        core_admit(walk->core, block);
    }
}

static unsigned number_of(const struct record *record)
{
    unsigned no = 0;
    for (size_t i = 1; i < record->len && record->bytes[i] != '\n'; i++) {
        no = no * 10 + (unsigned)(record->bytes[i] - '0');
    }
    return no;
}

// The record starts, in a task whose first record is `first`. Those before it with its key have,
// and of them no more than may are still on their way. One that starts again, in a part of a batch,
// only waits for those before it.
static void note_start(struct walk *walk, unsigned first, unsigned no)
{
    unsigned open = 0;
    for (unsigned i = 0; walk->key[no] > 0 && i < no; i++) {
        if (walk->key[i] == walk->key[no]) {
            must(walk, walk->started[i], "records of a key start in order");
            open += !walk->ended[i] && i < first;
        }
    }
    bool again = walk->started[no] && walk->config.key_jobs > 1;
    must(walk, again || walk->key[no] == 0 || open < walk->config.key_jobs,
         "no more records of a key run than may");
    walk->started[no] = true;
}

static void note_task(struct walk *walk, const struct result *result)
{
    struct records records = records_of(result);
    struct record record;
    unsigned first = walk->records;
    while (result->task.doom == NULL && records_next(&records, &record)) {
        unsigned no = number_of(&record);
        first = no < first ? no : first;
        note_start(walk, first, no);
    }
}

static void note_end(struct walk *walk, const struct result *result)
{
    struct records records = records_of(result);
    struct record record;
    while (records_next(&records, &record)) {
        walk->ended[number_of(&record)] = true;
    }
}

// Account for all records of a task that is dead, or doomed, because of `cause`.
static void bury_task(struct walk *walk, struct result *result, struct cause *cause)
{
    struct cause *own = cause_create(ERROR_REGEX, "before it is run");
    struct records records = records_of(result);
    struct record record;
    while (records_next(&records, &record)) {
        uint64_t index = result->tally.records++;
        if (*record.bytes == 'd') {
            result->tally.dropped++;
        } else {
            result_fail(result, index, record.bytes, 1, *record.bytes == 'i' ? own : cause);
        }
    }
    cause_unref(own);
    note_end(walk, result);
    core_done(walk->core, result, (int64_t)any(walk, 1000000));
}

// Some record of the task is the one that it failed of.
static void suspect(struct walk *walk, const struct result *result, struct attempt *attempt)
{
    uint64_t count = any(walk, records_in_task(result));
    struct records records = records_of(result);
    struct record record = {0};
    while (records_next(&records, &record) && count-- > 0) {
    }
    attempt->suspect_begin = (size_t)(record.bytes - result_bytes(result));
    attempt->suspect_end = (size_t)(record.next - result_bytes(result));
}

static void fail_task(struct walk *walk, struct result *result, uint64_t records)
{
    struct cause *cause = cause_create(ERROR_EXIT, "as it should");
    cause->status = (int)any(walk, walk->statuses);
    struct attempt attempt = {
        .ns = (int64_t)any(walk, 1000000),
        .may_split = records > 1,
        .retriable = any(walk, 5) != 0,
    };
    if (records > 1 && result->task.split == NULL && any(walk, 2) == 0) {
        suspect(walk, result, &attempt);
    }
    enum core_verdict verdict = core_fail(walk->core, result, cause, &attempt, walk->now);
    must(walk, (records > 1) == (verdict == CORE_SPLIT), "a task of several records is split");
    if (verdict == CORE_DEAD) {
        bury_task(walk, result, cause);
    }
    cause_unref(cause);
}

// Would the task fail? *count is how many of its records are run.
static bool task_fails(const struct result *result, uint64_t *count)
{
    struct records records = records_of(result);
    struct record record;
    bool never = false, once = false;
    *count = 0;
    while (records_next(&records, &record)) {
        never = never || *record.bytes == 'x';
        once = once || *record.bytes == 'r';
        *count += *record.bytes != 'd' && *record.bytes != 'i';
    }
    return never || (once && (*count > 1 || result->task.attempts == 0));
}

// Account for all records of a task that goes well.
static void emit_task(struct walk *walk, struct result *result)
{
    struct cause *own = cause_create(ERROR_REGEX, "before it is run");
    struct records records = records_of(result);
    struct record record;
    struct emitter emitter;
    emitter_init(&emitter);
    while (records_next(&records, &record)) {
        if (*record.bytes == 'd') {
            result->tally.dropped++;
        } else if (*record.bytes == 'i') {
            result_fail(result, result->tally.records, record.bytes, 1, own);
        } else {
            must(walk, strchr("er", *record.bytes) != NULL, "a record begins where one does");
            result->tally.emitted++;
            emitter_keep(&emitter, record.bytes, (size_t)(record.next - record.bytes));
        }
        result->tally.records++;
    }
    must(walk, result->tally.records == records_in_task(result), "records are counted");
    emitter_finish(&emitter, result);
    emitter_destroy(&emitter);
    cause_unref(own);
    note_end(walk, result);
    core_done(walk->core, result, (int64_t)any(walk, 1000000));
}

static void run_task(struct walk *walk, struct result *result);

// Run the first record apart. Returns the rest, which is still to be run; NULL: not now, since the
// record may have to be run again, and others with its key are behind it.
static struct result *cut_task(struct walk *walk, struct result *result)
{
    struct records records = records_of(result);
    struct record record;
    if (!records_next(&records, &record) || records.next == records.end) {
        return result;
    }
    bool fails = strchr("xr", *record.bytes) != NULL;
    struct result *front = core_cut(walk->core, result, (size_t)(record.next - record.bytes));
    if (fails && core_put_behind(walk->core, front, result)) {
        result = NULL;
        all_put_behind++;
    }
    run_task(walk, front);
    return result;
}

static void run_task(struct walk *walk, struct result *result)
{
    uint64_t count;
    if (any(walk, 8) == 0 && result->task.doom == NULL) {
        result = cut_task(walk, result);
    }
    if (result == NULL) {
        return;
    }
    if (result->task.doom != NULL) {
        must(walk, result->task.doom->error == ERROR_EXIT,
             "a task is doomed by what samples died of");
        bury_task(walk, result, result->task.doom);
    } else if (task_fails(result, &count)) {
        fail_task(walk, result, count);
    } else {
        emit_task(walk, result);
    }
}

static void emit(struct walk *walk, const struct result *result)
{
    char text[sizeof(walk->input) + 1];
    size_t len = 0;
    for (size_t i = 0; i < result->iov_count; i++) {
        memcpy(text + len, result->iov[i].iov_base, result->iov[i].iov_len);
        len += result->iov[i].iov_len;
    }
    text[len] = '\0';
    for (char *record = strtok(text, "\n"); record != NULL; record = strtok(NULL, "\n")) {
        if (*record == '.') {
            continue; // not its first line
        }
        unsigned no = (unsigned)atoi(record + 1);
        must(walk, no < walk->records && walk->fate[no] == *record, "only records are emitted");
        must(walk, !walk->config.ordered || no + 1 > walk->last_emitted, "output is in order");
        walk->emitted[no]++;
        walk->last_emitted = no + 1;
    }
}

static void tell_failures(struct walk *walk, struct failure *failure)
{
    struct failure *next;
    for (; failure != NULL; failure = next) {
        next = failure->next;
        must(walk, failure->nr >= 1 && failure->nr <= walk->records, "failures have numbers");
        must(walk, failure->nr > walk->last_failed, "failures come in input order");
        walk->doomed += failure->attempts == 0;
        walk->failed[failure->nr - 1]++;
        walk->last_failed = (unsigned)failure->nr;
        failure_destroy(failure);
    }
}

static void write_output(struct walk *walk)
{
    walk->writing = false;
    struct result *unwritten = NULL;
    for (struct result *result = walk->output.results; result != NULL;
         result = result->queue_next) {
        if (walk->broken) {
            unwritten = result;
            walk->stopped = true;
            break;
        }
        emit(walk, result);
    }
    tell_failures(walk, walk->output.failures);
    core_written(walk->core, walk->output.results, unwritten);
}

// When it is the turn of what entered the level then.
static int64_t turn(const struct walk *walk, int level, int64_t entered)
{
    return walk->config.aging > 0 ? level * walk->config.aging + entered : level;
}

static void check_turn(struct walk *walk, const struct task *task)
{
    const struct core *core = walk->core;
    int64_t taken = turn(walk, task->level, task->entered);
    for (uint64_t no = core->oldest; no != core->next; no++) {
        const struct block *block = core->ring[no % core->config.ring];
        for (size_t i = 0; i < block->span_count; i++) {
            const struct span *span = &block->spans[i];
            must(walk, span->len == 0 || taken <= turn(walk, span->level, span->entered),
                 "what is most urgent is taken first");
        }
    }
}

// --- steps; each says whether it was possible

static bool step_take(struct walk *walk)
{
    if (walk->running_count == MAX_RUNNING || walk->pollers_alone) {
        return false;
    }
    struct work work = {0};
    switch (core_try_take(walk->core, &work)) {
    case CORE_TASK:
        note_task(walk, work.task);
        check_turn(walk, &work.task->task);
        walk->running[walk->running_count++] = work.task;
        return true;
    case CORE_READ:
        walk->reading = true;
        walk->max_records = 0;
        return true;
    case CORE_WRITE:
        walk->output = work;
        walk->writing = true;
        return true;
    default:
        return false;
    }
}

static bool step_read(struct walk *walk)
{
    if (walk->reading) {
        read_block(walk);
        return true;
    }
    if (walk->config.self_serve || !core_try_room(walk->core, &walk->max_records)) {
        return false;
    }
    walk->reading = true;
    return true;
}

static bool step_write(struct walk *walk)
{
    if (walk->writing) {
        write_output(walk);
        return true;
    }
    if (walk->config.self_serve || !core_try_output(walk->core, &walk->output)) {
        return false;
    }
    walk->writing = true;
    return true;
}

static bool step_run(struct walk *walk)
{
    if (walk->running_count == 0) {
        return false;
    }
    unsigned i = (unsigned)any(walk, walk->running_count);
    struct result *result = walk->running[i];
    walk->running[i] = walk->running[--walk->running_count];
    if (walk->stopped && any(walk, 8) == 0) {
        core_give_up(walk->core, result);
    } else {
        run_task(walk, result);
    }
    return true;
}

static void notify_poller(void *arg)
{
    struct poller *poller = arg;
    poller->waits = false;
}

// The oldest task is answered. Or the process has died, and all of them fail or are given up.
static void answer_poller(struct walk *walk, struct poller *poller)
{
    struct result *result = poller->tasks[0];
    poller->count--;
    memmove(poller->tasks, poller->tasks + 1, poller->count * sizeof(poller->tasks[0]));
    if (walk->stopped && any(walk, 8) == 0) {
        core_give_up(walk->core, result);
    } else {
        run_task(walk, result);
    }
    poller->flushing = poller->flushing && poller->count > 0;
    if (any(walk, 8) == 0) {
        core_busy(walk->core, &poller->worker);
        poller->waits = false;
    }
}

static bool step_poll(struct walk *walk)
{
    if (walk->poller_count == 0) {
        return false;
    }
    unsigned first = (unsigned)any(walk, walk->poller_count);
    for (unsigned i = 0; i < walk->poller_count; i++) {
        struct poller *poller = &walk->pollers[(first + i) % walk->poller_count];
        if (poller->count == WINDOW || poller->flushing || poller->waits) {
            continue;
        }
        struct work work = {0};
        poller->waits = true;
        switch (core_poll(walk->core, &poller->worker, &work)) {
        case CORE_TASK:
            note_task(walk, work.task);
            check_turn(walk, &work.task->task);
            poller->waits = false;
            if (work.task->task.part) {
                run_task(walk, work.task); // by a process of its own
            } else {
                poller->tasks[poller->count++] = work.task;
            }
            return true;
        case CORE_FLUSH:
            must(walk, poller->count > 0, "only who has something to flush is told to");
            must(walk, !work.last || walk->core->eof || walk->stopped,
                 "the last flush is the last");
            poller->waits = false;
            poller->flushing = true;
            all_flushed++;
            return true;
        case CORE_WAIT:
            return true;
        case CORE_END:
            must(walk, poller->count == 0, "no worker ends with unanswered tasks");
            break; // it waits for ever
        default:
            must(walk, false, "a worker that has several tasks does nothing else");
        }
    }
    return false;
}

static bool step_answer(struct walk *walk)
{
    for (unsigned i = 0; i < walk->poller_count; i++) {
        struct poller *poller = &walk->pollers[i];
        if (poller->flushing || poller->count == WINDOW || (walk->talkative && poller->count > 0)) {
            answer_poller(walk, poller);
            return true;
        }
    }
    return false;
}

static bool step_tick(struct walk *walk)
{
    bool open = walk->core->bucket.open;
    int64_t due = core_tick(walk->core, walk->now);
    if (!open && walk->core->bucket.open) {
        return true;
    }
    if (due == INT64_MAX || walk->stopped) {
        return false;
    }
    walk->now += any(walk, 2) == 0 ? 1000 : due - walk->now;
    core_tick(walk->core, walk->now);
    return true;
}

// --- what must hold after each step

static size_t held_by_heap(const struct result *result)
{
    size_t bytes = 0;
    for (; result != NULL; result = result->next) {
        bytes += result->charged + held_by_heap(result->heap_child);
    }
    return bytes;
}

static size_t held_by_list(const struct result *result)
{
    size_t bytes = 0;
    for (; result != NULL; result = result->queue_next) {
        bytes += result->charged;
    }
    return bytes;
}

// At least; what tasks died of may be counted once for each task.
static size_t held_by_failures(const struct failure *failure)
{
    const struct cause *last = NULL;
    size_t bytes = 0;
    for (; failure != NULL; failure = failure->next) {
        bytes += sizeof(*failure) + failure->record_len;
        if (failure->cause != NULL && failure->cause != last) {
            bytes += sizeof(*failure->cause);
        }
        last = failure->cause;
    }
    return bytes;
}

static size_t held_by_keys(const struct keys *keys)
{
    size_t bytes = 0;
    for (size_t i = 0; i < keys->bucket_count; i++) {
        for (const struct key *key = keys->buckets[i]; key != NULL; key = key->next) {
            bytes += held_by_heap(key->waiting.root);
        }
    }
    return bytes;
}

static bool unanswered_are_counted(const struct walk *walk)
{
    unsigned quiet = 0;
    bool counted = true;
    for (unsigned i = 0; i < walk->poller_count; i++) {
        const struct poller *poller = &walk->pollers[i];
        counted = counted && poller->worker.unanswered == poller->count;
        quiet += poller->worker.quiet ? poller->count : 0;
    }
    return counted && quiet == walk->core->quiet;
}

static bool failures_are_charged(const struct walk *walk)
{
    const struct core *core = walk->core;
    const struct failure *taken = walk->writing ? walk->output.failures : NULL;
    return held_by_failures(core->failures_first) <= core->failure_bytes &&
           held_by_failures(taken) <= core->taken_bytes &&
           (core->failures_first == NULL) == (core->failure_bytes == 0) &&
           (taken == NULL) == (core->taken_bytes == 0);
}

static size_t held_by_poller(const struct poller *poller)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < poller->count; i++) {
        bytes += poller->tasks[i]->charged;
    }
    return bytes;
}

static size_t queued(const struct core *core)
{
    size_t bytes = 0;
    for (uint64_t no = core->oldest; no != core->next; no++) {
        const struct block *block = core->ring[no % core->config.ring];
        bytes += block->whole.len;
        for (size_t i = 0; i < block->span_count; i++) {
            bytes += block->spans[i].len;
        }
    }
    return bytes;
}

static size_t held(const struct walk *walk)
{
    const struct core *core = walk->core;
    size_t bytes = held_by_heap(core->retries.root);
    for (uint64_t no = core->oldest; no != core->next; no++) {
        const struct block *block = core->ring[no % core->config.ring];
        bytes += (block->buf != NULL ? block->cap : 0) + block_index_bytes(block);
        for (const struct result *result = block->first; result != NULL; result = result->next) {
            bytes += result->charged;
        }
        bytes += held_by_heap(block->apart.root);
    }
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        bytes += held_by_list(core->levels.level[i].task_first);
    }
    bytes += held_by_list(core->given_up);
    for (const struct split *split = core->splits; split != NULL; split = split->next) {
        bytes += held_by_list(split->waiting);
    }
    bytes += held_by_keys(&core->keys);
    bytes += core->failure_bytes + core->taken_bytes;
    for (unsigned i = 0; i < walk->running_count; i++) {
        bytes += walk->running[i]->charged;
    }
    for (unsigned i = 0; i < walk->poller_count; i++) {
        bytes += held_by_poller(&walk->pollers[i]);
    }
    return bytes;
}

static void check_end(struct walk *walk)
{
    tell_failures(walk, core_close_ledger(walk->core));
    struct ledger ledger = core_ledger(walk->core);
    must(walk, ledger.read == ledger.emitted + ledger.dropped + ledger.failed + ledger.unprocessed,
         "the ledger balances");
    must(walk, ledger.read == walk->records_read, "all that was read is accounted for");
    bool may_skip = walk->gaps || !walk->config.ordered;
    uint64_t emitted = 0, failed = 0;
    for (unsigned i = 0; i < walk->records; i++) {
        unsigned ends = walk->emitted[i] + walk->failed[i];
        must(walk, ends <= 1, "no record ends twice");
        must(walk, walk->stopped || ends == (walk->fate[i] != 'd'), "no record is lost");
        must(walk, ends == 1 || walk->fate[i] == 'd' || i + 1 > walk->last_emitted || may_skip,
             "what is emitted is a prefix");
        emitted += walk->emitted[i];
        failed += walk->failed[i];
    }
    must(walk, ledger.emitted == emitted, "what is emitted is counted");
    must(walk, ledger.failed == failed, "what failed is counted and told");
    must(walk, ledger.doomed == walk->doomed, "what was doomed is counted");
    must(walk, walk->stopped || walk->core->splits == NULL, "no batch is left");
    must(walk, walk->stopped || walk->core->keys.count == 0, "no key is left");
    must(walk, walk->stopped || ledger.unprocessed == 0, "nothing is left over");
    must(walk, walk->stopped || walk->core->used == 0, "nothing is charged at the end");
}

static struct halt any_halt(struct walk *walk)
{
    return (struct halt){
        .why = (enum halt_why)(HALT_FAIL + any(walk, 3)),
        .now = any(walk, 2) == 0,
        .percent = any(walk, 2) == 0,
        .value = 3 + any(walk, 30),
    };
}

static void notice_stop(struct walk *walk)
{
    uint64_t emitted, failed;
    enum core_phase phase = walk->core->phase;
    if (core_halted(walk->core, &emitted, &failed)) {
        must(walk, emitted + failed >= 3, "the run is halted in time");
        all_halted += !walk->stopped;
        walk->stopped = true;
    }
    walk->gaps = walk->gaps || phase == CORE_SOON || phase == CORE_KILL;
}

static void make_pollers(struct walk *walk)
{
    walk->poller_count = POLLERS;
    walk->pollers_alone = any(walk, 3) != 0;
    walk->talkative = any(walk, 3) == 0;
    for (unsigned i = 0; i < POLLERS; i++) {
        struct poller *poller = &walk->pollers[i];
        core_worker_init(&poller->worker);
        poller->worker.notify = notify_poller;
        poller->worker.notify_arg = poller;
    }
}

static const char *take_a_walk(uint64_t seed)
{
    static bool (*const steps[])(struct walk *) = {step_take, step_read, step_write, step_run,
                                                   step_tick, step_poll, step_answer};
    const unsigned step_count = sizeof(steps) / sizeof(steps[0]);

    struct walk *walk = calloc(1, sizeof(*walk));
    walk->random = seed;
    any(walk, 1);
    walk->pool = block_pool_create(BLOCK_SIZE, 2);
    bool self_serve = any(walk, 2) == 0;
    walk->config = (struct core_config){
        .pool = walk->pool,
        .limit = (size_t[]){1, BLOCK_SIZE + 1, 1000, 100000}[any(walk, 4)],
        .ring = (size_t[]){1, 2, 2, 5}[any(walk, 4)],
        .queue_size = self_serve ? 0 : (size_t[]){0, 1, 3, 50}[any(walk, 4)],
        .workers = MAX_RUNNING,
        .ordered = any(walk, 2) == 0,
        .self_serve = self_serve,
        .task_records = (size_t[]){0, 1, 3, 100}[any(walk, 4)],
        .whole_blocks = any(walk, 4) == 0,
        .task_ns = 10000,
        .key_jobs = (unsigned)any(walk, 3),
        .keyed_records = any(walk, 3),
        .retries = (unsigned)any(walk, 3),
        .backoff = {.base = 100, .max = 100000, .factor = 2},
        .rate = {.records = self_serve ? 0 : (uint64_t[]){0, 0, 2, 1000}[any(walk, 4)],
                 .period = 1000000},
        .aging = (int64_t[]){0, 1, 1000}[any(walk, 3)],
        .halt = any(walk, 4) == 0 ? any_halt(walk) : (struct halt){0},
        .seed = seed,
        .notify = notify,
    };
    walk->core = core_create(&walk->config);
    if (!self_serve && any(walk, 2) == 0) {
        make_pollers(walk);
    }
    walk->indexed = any(walk, 2) == 0;
    walk->classified = any(walk, 2) == 0;
    walk->fates = (const char *[]){"eeeeeedddxri", "xxxxxd", "xxxxxxxxxxxe", "x",
                                   "xddddd",       "rrrrrx"}[any(walk, 6)];
    walk->statuses = 1 + (unsigned)any(walk, 2);
    if (!self_serve && walk->config.key_jobs > 0) {
        walk->keys = (unsigned[]){1, 2, 5, 30}[any(walk, 4)];
    }
    make_input(walk);
    unsigned stop_at = any(walk, 4) == 0 ? (unsigned)any(walk, 300) : 0;
    bool breaks = any(walk, 8) == 0;

    for (unsigned count = 1; walk->wrong == NULL && !core_finished(walk->core); count++) {
        if (count == stop_at) {
            core_stop(walk->core, any(walk, 2) == 0 ? CORE_SOON : CORE_NOW);
            walk->stopped = true;
        }
        walk->broken = walk->broken || (breaks && count > 50);
        unsigned first = (unsigned)any(walk, step_count), tried = 0;
        while (tried < step_count && !steps[(first + tried) % step_count](walk)) {
            tried++;
        }
        must(walk, tried < step_count || core_finished(walk->core), "some step is possible");
        notice_stop(walk);
        all_passed += walk->core->keys.waiting;
        must(walk, walk->core->used == held(walk), "what is charged is what is held");
        must(walk, walk->core->queued == queued(walk->core), "what waits is what is not started");
        must(walk, failures_are_charged(walk), "failures are charged");
        must(walk, unanswered_are_counted(walk), "unanswered tasks are counted");
        must(walk, count < 100000, "the run ends");
    }
    if (walk->wrong == NULL) {
        check_end(walk);
    }
    const char *wrong = walk->wrong;
    all_doomed += walk->doomed;
    for (unsigned i = 0; i < walk->poller_count; i++) {
        core_worker_destroy(&walk->pollers[i].worker);
    }
    core_destroy(walk->core);
    block_pool_destroy(walk->pool);
    free(walk);
    return wrong;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : otherwise;
}

int main(void)
{
    uint64_t walks = from_environment("WALKS", 3000), seed = from_environment("SEED", 1);
    const char *wrong = NULL;
    uint64_t i;
    for (i = 0; i < walks && wrong == NULL; i++) {
        wrong = take_a_walk(seed + i);
    }
    OK(wrong == NULL, "%" PRIu64 " random walks end well", i);
    OK(all_flushed > 0, "%" PRIu64 " times processes were flushed", all_flushed);
    OK(all_halted > 0, "%" PRIu64 " of them were halted", all_halted);
    OK(all_passed > 0, "%" PRIu64 " times a task waited for its key", all_passed);
    OK(all_put_behind > 0, "%" PRIu64 " times the rest of a task did", all_put_behind);
    OK(all_doomed > 0, "%" PRIu64 " records were doomed in them", all_doomed);
    if (wrong != NULL) {
        printf("# seed %" PRIu64 ": not so: %s\n", seed + i - 1, wrong);
    }
    return tap_done();
}
