// SPDX-License-Identifier: BSD-2-Clause
// Tasks that failed: they are split, tried again, or dead.
//
// A batch is split in halves, and so on, until the records that fail stand alone. A half that fails
// waits for the end of the other one. If that went well, this one is split in turn. If both failed
// then perhaps all records would, by a typo or a service that is down, and splitting on would be a
// storm of processes. So some records, spread evenly, are samples: they run alone, and their
// attempts are the records' own, while what lies between them waits. If all die of the same, what
// waits is doomed: handed out only to fail with that cause. Else it goes on as tasks of its own.
//
// A batch in which several records have the same key is split in halves too, but these run one
// after another, so that no record starts before one of its key has ended. There the first SAMPLES
// records to fail are the samples.
//
// How many runs that takes: where both halves fail each has a record that fails, so there are fewer
// such places than records that fail; each costs at most SAMPLES runs and as many of what lies
// between. Elsewhere a run that fails leads to two, one of which goes well: as many as halving
// takes to find a record, for each that fails.
//
// If it is known at which record a task failed (struct attempt), that one stands alone at once.

#include "base/thread.h"
#include "core/core_state.h"
#include "core/records.h"

#include <assert.h>
#include <stdlib.h>

#define SAMPLES 16

// A task that could not be split without memory waits so long.
#define MEMORY_WAIT_NS 100000000

static struct split *split_create(struct core *core)
{
    struct split *split = calloc(1, sizeof(*split));
    if (split != NULL) {
        split->next = core->splits;
        if (split->next != NULL) {
            split->next->prev = split;
        }
        core->splits = split;
    }
    return split;
}

void split_destroy(struct core *core, struct split *split)
{
    *(split->prev != NULL ? &split->prev->next : &core->splits) = split->next;
    if (split->next != NULL) {
        split->next->prev = split->prev;
    }
    cause_unref(split->cause);
    free(split);
}

// Run a part of a task, before records of its level that wait. `split`, if not NULL, wants to know
// how it ends.
static void run_part(struct core *core, struct result *part, struct split *split)
{
    part->task.split = split;
    if (split != NULL) {
        split->open++;
    }
    levels_push_task(&core->levels, part);
    wake_for_task(core);
}

static void wait_for_retry(struct core *core, struct result *result, int64_t due)
{
    result->task.due = due;
    retry_push(&core->retries, result);
    core->config.notify(core->config.notify_arg);
}

static void add_waiting(struct split *split, struct result *result)
{
    struct result **link = &split->waiting;
    while (*link != NULL && (*link)->task.off < result->task.off) {
        link = &(*link)->queue_next;
    }
    result->queue_next = *link;
    *link = result;
}

// Run the first half of a task, and beside it or after it the other one. False: no memory.
static bool run_halves(struct core *core, struct split *split, struct result *result)
{
    struct result *front = carve_front(core, result, records_middle(result));
    if (front == NULL) {
        return false;
    }
    run_part(core, front, split);
    if (split->kind == SPLIT_SEQUENCE) {
        add_waiting(split, result);
    } else {
        run_part(core, result, split);
    }
    return true;
}

static void halve(struct core *core, struct result *result)
{
    struct split *split = split_create(core);
    if (split != NULL) {
        split->kind = result->task.repeats ? SPLIT_SEQUENCE : SPLIT_HALVES;
        if (run_halves(core, split, result)) {
            return;
        }
        split_destroy(core, split);
    }
    wait_for_retry(core, result, core->now + MEMORY_WAIT_NS); // there may be memory again then
}

// --- samples

// What waited runs, or fails with `doom` if that is not NULL.
static void release_waiting(struct core *core, struct split *split, struct cause *doom)
{
    struct result *result;
    while ((result = split->waiting) != NULL) {
        split->waiting = result->queue_next;
        result->task.doom = doom != NULL ? cause_ref(doom) : NULL;
        run_part(core, result, NULL);
    }
}

// Bytes of the first `count` records of a task.
static size_t records_length(const struct result *result, uint64_t count)
{
    struct records records = records_of(result);
    struct record record = {.next = records.next};
    while (count > 0 && records_next(&records, &record)) {
        count--;
    }
    return (size_t)(record.next - result_bytes(result));
}

// Take the first `count` records off the task. All that are left are the task itself, which is
// then NULL. NULL: no memory.
static struct result *take_front(struct core *core, struct result **task, uint64_t count)
{
    struct result *result = *task;
    size_t len = records_length(result, count);
    if (len < result->task.len) {
        return carve_front(core, result, len);
    }
    *task = NULL;
    return result;
}

// Where samples are among the records of a split.
struct sampling {
    uint64_t records, samples; // how many there are
    uint64_t at;               // number of the next record
    uint64_t made;             // samples so far
};

// Number of the record that is the next sample; behind all records if there is none.
static uint64_t next_sample(const struct sampling *sampling)
{
    return sampling->made < sampling->samples
               ? sampling->made * sampling->records / sampling->samples
               : sampling->records;
}

// Cut the samples out of a task; the rest of it waits.
static void sample_task(struct core *core, struct split *split, struct sampling *sampling,
                        struct result *task)
{
    uint64_t end = sampling->at + records_in_task(task);
    while (task != NULL) {
        uint64_t next = next_sample(sampling);
        bool is_sample = next == sampling->at;
        uint64_t to = is_sample ? next + 1 : next < end ? next : end;
        struct result *front = take_front(core, &task, to - sampling->at);
        if (front == NULL) { // without memory there are fewer samples
            add_waiting(split, task);
            break;
        }
        if (is_sample) {
            sampling->made++;
            run_part(core, front, split);
        } else {
            add_waiting(split, front);
        }
        sampling->at = to;
    }
    sampling->at = end;
    while (next_sample(sampling) < end) {
        sampling->made++; // which could not be
    }
}

// Both halves failed. One that is but a record stands alone and does not wait here.
static void take_samples(struct core *core, struct split *split)
{
    struct sampling sampling = {0};
    struct result *halves = split->waiting;
    for (struct result *half = halves; half != NULL; half = half->queue_next) {
        sampling.records += records_in_task(half);
    }
    sampling.samples = sampling.records < SAMPLES ? sampling.records : SAMPLES;
    split->kind = SPLIT_SAMPLES;
    split->waiting = NULL;
    while (halves != NULL) {
        struct result *half = halves;
        halves = half->queue_next;
        sample_task(core, split, &sampling, half);
    }
    if (split->open == 0) {
        release_waiting(core, split, NULL);
        split_destroy(core, split);
    }
}

// Operations dropped the sample that ended at byte `end`, so it says nothing of the command: the
// record behind it takes its place, if it waits.
static void replace_sample(struct core *core, struct split *split, size_t end)
{
    struct result **link = &split->waiting;
    while (*link != NULL && (*link)->task.off != end) {
        link = &(*link)->queue_next;
    }
    if (*link == NULL) {
        return;
    }
    struct result *next = (*link)->queue_next;
    struct result *sample = take_front(core, link, 1);
    if (*link == NULL) {
        *link = next;
    }
    if (sample != NULL) {
        run_part(core, sample, split);
    }
}

// --- how the parts of a split end

static void half_ended(struct core *core, struct split *split)
{
    if (--split->open > 0) {
        return;
    }
    struct result *waiting = split->waiting;
    if (waiting != NULL && split->failed > 1) {
        take_samples(core, split);
        return;
    }
    split_destroy(core, split);
    if (waiting != NULL) {
        halve(core, waiting);
    }
}

static void sample_ended(struct core *core, struct split *split)
{
    if (--split->open == 0) {
        release_waiting(core, split, split->cause);
        split_destroy(core, split);
    }
}

// A part of a sequence has ended for good: the next one runs, unless so many records in a row have
// died of the same, and none went well, that the rest is doomed.
static void go_on(struct core *core, struct split *split)
{
    struct result *next = split->waiting;
    split->open--;
    if (next != NULL && (split->goes_well || split->failed < SAMPLES)) {
        split->waiting = next->queue_next;
        run_part(core, next, split);
        return;
    }
    release_waiting(core, split, split->cause);
    split_destroy(core, split);
}

// A half that failed has only one record for the command: it waits for nobody.
static void half_stands_alone(struct core *core, struct split *split)
{
    split->failed++;
    half_ended(core, split);
}

// Who waits for the end of the task? It is told now.
static struct split *leave_split(struct result *result)
{
    struct split *split = result->task.split;
    result->task.split = NULL;
    return split;
}

void split_done(struct core *core, struct result *result)
{
    struct split *split = leave_split(result);
    if (split == NULL) {
        return;
    }
    switch (split->kind) {
    case SPLIT_HALVES:
        half_ended(core, split);
        return;
    case SPLIT_SEQUENCE:
        split->goes_well = split->goes_well || result->tally.emitted > 0;
        go_on(core, split);
        return;
    case SPLIT_SAMPLES:
        break;
    }
    if (result->tally.emitted > 0) {
        release_waiting(core, split, NULL); // what waits may go well too
    } else {
        replace_sample(core, split, result->task.off + result->task.len);
    }
    sample_ended(core, split);
}

// --- how tasks fail

// A part of a sequence is split.
static void split_again(struct core *core, struct split *split, struct result *result)
{
    if (run_halves(core, split, result)) {
        split->open--;
        return;
    }
    result->task.split = split; // it is tried again
    wait_for_retry(core, result, core->now + MEMORY_WAIT_NS);
}

bool split_put_behind(struct core *core, struct result *front, struct result *rest)
{
    struct split *split = leave_split(rest);
    if (split == NULL) {
        split = split_create(core);
        if (split == NULL) {
            return false;
        }
        split->kind = SPLIT_SEQUENCE;
        split->open = 1;
    }
    front->task.split = split;
    add_waiting(split, rest);
    return true;
}

// Cut the suspects out of the task. Its parts do not wait for each other: they are not expected to
// fail alike.
static void isolate(struct core *core, struct result *result, size_t begin, size_t end)
{
    struct result *front = carve_front(core, result, begin > 0 ? begin : end);
    if (front == NULL) {
        wait_for_retry(core, result, core->now + MEMORY_WAIT_NS); // there may be memory again then
        return;
    }
    run_part(core, front, NULL);
    if (begin > 0 && end - begin < result->task.len) {
        front = carve_front(core, result, end - begin);
        if (front != NULL) { // else there is one more run
            run_part(core, front, NULL);
        }
    }
    run_part(core, result, NULL);
}

static void split_task(struct core *core, struct result *result, const struct attempt *attempt)
{
    struct split *split = leave_split(result);
    core->ledger.splits++;
    if (split == NULL && attempt->suspect_end > 0 && !result->task.repeats) {
        isolate(core, result, attempt->suspect_begin, attempt->suspect_end);
        return;
    }
    if (split == NULL) {
        halve(core, result);
        return;
    }
    if (split->kind == SPLIT_SEQUENCE) {
        split_again(core, split, result);
        return;
    }
    assert(split->kind == SPLIT_HALVES); // samples are single records
    split->failed++;
    add_waiting(split, result);
    half_ended(core, split);
}

// What waits for a sample that waits itself need not hold the block.
static void copy_waiting(struct core *core, const struct split *split)
{
    size_t len = 0;
    for (const struct result *result = split->waiting; result != NULL;
         result = result->queue_next) {
        len += result->task.len;
    }
    for (struct result *result = split->waiting; result != NULL; result = result->queue_next) {
        if (carve_is_small(result->task.block, len)) {
            carve_copy(core, result);
        }
    }
}

// xorshift64* (Vigna 2016).
static uint64_t next_random(struct core *core)
{
    core->random ^= core->random >> 12;
    core->random ^= core->random << 25;
    core->random ^= core->random >> 27;
    return core->random * UINT64_C(2685821657736338717);
}

static void retry_task(struct core *core, struct result *result, int64_t now)
{
    struct task *task = &result->task;
    if (task->attempts++ == 0) {
        core->ledger.retried += records_in_task(result);
    }
    task->level = records_level(task->block, task->off); // it may have been taken along
    carve_copy(core, result);
    wait_for_retry(core, result,
                   now + backoff_delay(&core->config.backoff, task->attempts, next_random(core)));
    carve_delay_keys(task);
    if (task->split == NULL) {
        return;
    }
    if (task->split->kind == SPLIT_HALVES) {
        half_stands_alone(core, leave_split(result));
    } else {
        copy_waiting(core, task->split);
    }
}

// A record of a sequence has died.
static void note_death(struct split *split, struct cause *cause)
{
    if (split->cause != NULL && cause_alike(split->cause, cause)) {
        split->failed++;
        return;
    }
    cause_unref(split->cause);
    split->cause = cause_ref(cause);
    split->failed = 1;
}

static void bury_task(struct core *core, struct result *result, struct cause *cause)
{
    struct split *split = leave_split(result);
    if (split == NULL) {
        return;
    }
    switch (split->kind) {
    case SPLIT_HALVES:
        half_stands_alone(core, split);
        return;
    case SPLIT_SEQUENCE:
        result->task.split = split; // the next one runs once this one is done
        note_death(split, cause);
        return;
    case SPLIT_SAMPLES:
        break;
    }
    if (split->cause == NULL) {
        split->cause = cause_ref(cause);
    } else if (!cause_alike(split->cause, cause)) {
        release_waiting(core, split, NULL);
    }
    sample_ended(core, split);
}

// What is to become of a task that failed.
static enum core_verdict judge(const struct core *core, const struct result *result,
                               const struct attempt *attempt)
{
    if (attempt->may_split && records_middle(result) > 0) {
        return CORE_SPLIT;
    }
    return attempt->retriable && result->task.attempts < core->config.retries ? CORE_RETRY
                                                                              : CORE_DEAD;
}

enum core_verdict core_fail(struct core *core, struct result *result, struct cause *cause,
                            const struct attempt *attempt, int64_t now)
{
    result_clear(result);
    enum core_verdict verdict = judge(core, result, attempt);

    mutex_lock(&core->mutex);
    core->now = now;
    if (verdict != CORE_DEAD) { // which runs until core_done()
        dispatch_end_run(core, result, attempt->ns);
    }
    switch (verdict) {
    case CORE_SPLIT:
        split_task(core, result, attempt);
        break;
    case CORE_RETRY:
        retry_task(core, result, now);
        break;
    case CORE_DEAD:
        bury_task(core, result, cause);
        break;
    }
    wake_reader(core);
    wake_at_end(core);
    state_unlock(core);
    return verdict;
}
