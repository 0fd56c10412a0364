// SPDX-License-Identifier: BSD-2-Clause
// When records may be started: the bucket, and the core with one, with a clock of the test's own.

#include "core/core.h"
#include "core/rate.h"
#include "core/records.h"
#include "core_steps.h"
#include "tap.h"

#include <string.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static const struct rate twenty = {.records = 20, .period = SECOND};

static void test_idle(void)
{
    struct bucket bucket;
    bucket_init(&bucket);
    OK(bucket.open, "the first task may be started at once");
    bucket_take(&bucket, 1);
    OK(!bucket.open && bucket_tick(&bucket, &twenty, 0, true) == 50 * MILLISECOND,
       "the next one only when that is paid");
    OK(bucket_tick(&bucket, &twenty, 50 * MILLISECOND - 1, true) == 50 * MILLISECOND &&
           !bucket.open,
       "not a nanosecond earlier");
    OK(bucket_tick(&bucket, &twenty, 50 * MILLISECOND, false) == INT64_MAX && bucket.open,
       "but then");
    bucket_tick(&bucket, &twenty, 10 * SECOND, false);
    bucket_take(&bucket, 1);
    OK(bucket_tick(&bucket, &twenty, 10 * SECOND, true) == 10 * SECOND + 50 * MILLISECOND,
       "nothing is saved up while nobody waits");
    bucket_tick(&bucket, &twenty, 11 * SECOND, false);
    bucket_take(&bucket, 30);
    OK(bucket_tick(&bucket, &twenty, 11 * SECOND, true) == 11 * SECOND + 1500 * MILLISECOND,
       "a task of 30 records costs 30 tokens");
    bucket_tick(&bucket, &twenty, 13 * SECOND, false);
    bucket_take(&bucket, UINT64_MAX);
    OK(bucket_tick(&bucket, &twenty, 13 * SECOND, true) == INT64_MAX && !bucket.open,
       "more than any time is enough for are for ever");
}

// How many tasks of a record are started from 0 to before `end`, if the clock is read every `step`.
static unsigned starts(struct rate rate, int64_t step, int64_t end)
{
    struct bucket bucket;
    unsigned count = 0;
    bucket_init(&bucket);
    for (int64_t now = 0; now < end; now += step) {
        bucket_tick(&bucket, &rate, now, true);
        while (bucket.open) {
            bucket_take(&bucket, 1);
            count++;
            bucket_tick(&bucket, &rate, now, true);
        }
    }
    return count;
}

static void test_minute(void)
{
    const int64_t late = 1300000; // 1.3 ms
    OK(starts(twenty, late, 60 * SECOND) == 1200, "20/s is 1200 in a minute, though always late");
    OK(starts((struct rate){3, SECOND}, late, 60 * SECOND) == 180, "so is 3/s 180");
    OK(starts((struct rate){1000, SECOND}, late, 60 * SECOND) >= 59998, "1000/s too");
    OK(starts((struct rate){600000, SECOND}, late, 10 * SECOND) >= 5999000 &&
           starts((struct rate){600000, SECOND}, late, 10 * SECOND) <= 6000000,
       "and what is no whole number of nanoseconds");
    OK(starts((struct rate){7, 60 * SECOND}, late, 60 * SECOND) == 7, "7/m");
    OK(starts((struct rate){7, 3600 * SECOND}, SECOND, 7200 * SECOND) == 14, "7/h");
}

static void test_late(void)
{
    const struct rate rate = {.records = 1000, .period = SECOND};
    struct bucket bucket;
    bucket_init(&bucket);
    bucket_take(&bucket, 1);
    bucket_tick(&bucket, &rate, 0, true);
    unsigned count = 0;
    for (bucket_tick(&bucket, &rate, SECOND, true); bucket.open;
         bucket_tick(&bucket, &rate, SECOND, true)) {
        bucket_take(&bucket, 1);
        count++;
    }
    OK(count == RATE_LATE_MAX / MILLISECOND + 1, "of a long halt only a moment is made up for");
}

// --- the core with a rate

static struct core_config usual(struct rate rate)
{
    return (struct core_config){
        .pool = pool,
        .limit = 10000,
        .ring = 8,
        .workers = 4,
        .ordered = true,
        .rate = rate,
        .task_records = 1,
        .task_ns = 1000 * MILLISECOND,
        .task_bytes = 1000,
        .retries = 1,
        .backoff = {.base = 1, .max = 1, .factor = 1},
        .notify = notify,
    };
}

static void admit(struct core *core, const char *records)
{
    struct block *block = new_block(strlen(records));
    memcpy(block->buf, records, block->len);
    admit_block(core, block);
}

// The task at `now`, of which that many records are wanted. Main is awake, as it was told.
static struct result *take_at(struct core *core, int64_t now, uint64_t records)
{
    (void)core_tick(core, now);
    struct result *result = take(core);
    (void)core_tick(core, now);
    return result != NULL && records_in_task(result) == records ? result : NULL;
}

static void drop(struct core *core, struct result *task)
{
    task->tally.records = task->tally.dropped = records_in_task(task);
    core_done(core, task, 1);
}

static enum core_verdict fail(struct core *core, struct result *task, bool split, int64_t now)
{
    struct cause *cause = cause_create(ERROR_EXIT, "exit status 1");
    const struct attempt attempt = {.ns = 1, .may_split = split, .retriable = true};
    enum core_verdict verdict = core_fail(core, task, cause, &attempt, now);
    cause_unref(cause);
    return verdict;
}

static void test_core(void)
{
    struct core_config config = usual(twenty);
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n");
    struct result *one = take_at(core, 0, 1);
    OK(one != NULL && take(core) == NULL, "one record is started, whoever else has nothing to do");
    OK(core_tick(core, 0) == 50 * MILLISECOND, "main is told when the next one may be");
    drop(core, one);
    core_eof(core);
    OK(!core_finished(core) && take(core) == NULL, "a record that waits for it is not forgotten");
    struct result *two = take_at(core, 50 * MILLISECOND, 1);
    OK(two != NULL && fail(core, two, false, 50 * MILLISECOND) == CORE_RETRY, "then it is started");
    OK(take_at(core, 60 * MILLISECOND, 1) == NULL, "a retry that is due waits for the rate too");
    two = take_at(core, 100 * MILLISECOND, 1);
    OK(two != NULL && two->task.attempts == 1, "it goes before what was never started");
    drop(core, two);
    OK(take_at(core, 149 * MILLISECOND, 1) == NULL, "and counts as a start");
    drop(core, take_at(core, 150 * MILLISECOND, 1));
    struct work work;
    while (core_try_output(core, &work)) {
        core_written(core, work.results, NULL);
    }
    OK(core_finished(core) && core_ledger(core).attempts == 4, "the run ends");
    core_destroy(core);
}

static void test_batches(void)
{
    struct core_config config = usual(twenty);
    config.task_records = 0;
    config.whole_blocks = true;
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n");
    admit(core, "5\n");
    struct result *batch = take_at(core, 0, 4);
    OK(core_tick(core, 0) == 200 * MILLISECOND, "a batch takes as many tokens as it has records");
    OK(batch != NULL && fail(core, batch, true, 0) == CORE_SPLIT &&
           take_at(core, 199 * MILLISECOND, 2) == NULL,
       "a half of it that failed waits as well");
    struct result *half = take_at(core, 200 * MILLISECOND, 2);
    OK(half != NULL && core_tick(core, 200 * MILLISECOND) == 300 * MILLISECOND,
       "and takes as many as it has");
    core_destroy(core);

    config.whole_blocks = false;
    config.task_ns = 200 * MILLISECOND;
    core = core_create(&config);
    admit(core, "1\n2\n3\n4\n5\n6\n7\n");
    OK(take_at(core, 0, 4) != NULL, "else a task has what may be started while it should run");
    OK(take_at(core, 200 * MILLISECOND, 3) != NULL, "so has the next one");
    core_destroy(core);

    config.rate = (struct rate){.records = 1, .period = 60 * SECOND};
    core = core_create(&config);
    admit(core, "1\n2\n");
    OK(take_at(core, 0, 1) != NULL, "but at least a record");
    core_destroy(core);
}

// The task fails, or its one record does.
static bool fails(struct core *core, struct result *task, int64_t now)
{
    if (fail(core, task, true, now) == CORE_DEAD) {
        task->tally.records = task->tally.failed = 1;
        core_done(core, task, 1);
    }
    return true;
}

// Samples that died of the same doom what lies between them, which is not run.
static void test_doomed(void)
{
    static char records[40 * 2 + 1];
    const struct rate rate = {.records = RATE_RECORDS_MAX, .period = SECOND};
    struct core_config config = usual(rate);
    config.task_records = 0;
    config.whole_blocks = true;
    config.retries = 0;
    struct core *core = core_create(&config);
    for (unsigned i = 0; i < 40; i++) {
        memcpy(records + 2 * i, "x\n", 2);
    }
    admit(core, records);
    int64_t now = 0;
    struct result *task;
    bool waited;
    do {
        task = take(core);
        waited = task == NULL;
        if (waited) {
            (void)core_tick(core, now);
            (void)core_tick(core, now += SECOND);
            task = take(core);
        }
    } while (task != NULL && task->task.doom == NULL && fails(core, task, now));
    OK(task != NULL && task->task.doom != NULL && !waited,
       "what is doomed need not wait, since it is not started");
    core_destroy(core);
}

int main(void)
{
    pool = block_pool_create(64, 2);
    test_idle();
    test_minute();
    test_late();
    test_core();
    test_batches();
    test_doomed();
    block_pool_destroy(pool);
    return tap_done();
}
