// SPDX-License-Identifier: BSD-2-Clause
// What the core starts when records have keys, with a clock of the test's own.
//
// Records are two letters and a newline. The first letter is the key, but '.' is none. Where levels
// count, a second letter '!' is urgent.

#include "core/core.h"
#include "core/core_state.h"
#include "core/records.h"
#include "core_steps.h"
#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES ((size_t)3)
#define URGENT (-5)
#define MAX_RUNNING 1000

// A core, and the tasks that it has given, in the order in which it did; NULL once they have ended.
struct bench {
    struct core_config config;
    struct core *core;
    struct result *tasks[MAX_RUNNING];
    unsigned count;
    char started[4 * MAX_RUNNING];
};

// One record is a task; with `task_records` 0 as many as take 1000 ns.
static struct bench *set_up(unsigned key_jobs, size_t task_records)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->config = (struct core_config){
        .pool = pool,
        .limit = (size_t)64 << 20,
        .ring = 500,
        .workers = 4,
        .task_records = task_records,
        .task_ns = 1000,
        .task_bytes = 1000,
        .key_jobs = key_jobs,
        .retries = 1,
        .backoff = {.base = 1000, .max = 1000, .factor = 1},
        .notify = notify,
    };
    return bench;
}

static struct bench *begin(struct bench *bench)
{
    bench->core = core_create(&bench->config);
    return bench;
}

static void take_down(struct bench *bench)
{
    core_destroy(bench->core);
    free(bench);
}

static void add_span(struct block *block, size_t i, int level)
{
    struct span *last = block->span_count > 0 ? &block->spans[block->span_count - 1] : NULL;
    if (last != NULL && last->level == level) {
        last->len += RECORD_BYTES;
        last->end += RECORD_BYTES;
    } else {
        block->spans[block->span_count++] = (struct span){
            .block = block,
            .off = i * RECORD_BYTES,
            .len = RECORD_BYTES,
            .end = (i + 1) * RECORD_BYTES,
            .index = i,
            .level = level,
        };
    }
}

// "a1 b1 a2": a block of three records.
static void admit(struct bench *bench, const char *records)
{
    size_t len = strlen(records) + 1, count = len / RECORD_BYTES;
    struct block *block = new_block(len);
    block->records = count;
    block->keyed = calloc(count, sizeof(block->keyed[0]));
    block->keyed_count = count;
    block->spans = calloc(count, sizeof(block->spans[0]));
    for (size_t i = 0; i < count; i++) {
        const char *record = records + i * RECORD_BYTES;
        memcpy(block->buf + i * RECORD_BYTES, (char[]){record[0], record[1], '\n'}, RECORD_BYTES);
        block->keyed[i].hash = *record == '.' ? 0 : (uint64_t)*record;
        add_span(block, i, record[1] == '!' ? URGENT : 0);
    }
    admit_block(bench->core, block);
}

// Up to `most` tasks are started. Returns them with blanks between, their records joined.
static const char *start(struct bench *bench, unsigned most)
{
    char *end = bench->started;
    struct result *task;
    while (most-- > 0 && (task = take(bench->core)) != NULL) {
        struct records records = records_of(task);
        struct record record;
        end += sprintf(end, "%s", end > bench->started ? " " : "");
        while (records_next(&records, &record)) {
            end += sprintf(end, "%.2s", record.bytes);
        }
        bench->tasks[bench->count++] = task;
    }
    *end = '\0';
    return bench->started;
}

// The running task that begins with this record. It is no longer among those that run.
static struct result *leave(struct bench *bench, const char *record)
{
    for (unsigned i = 0; i < bench->count; i++) {
        struct result *task = bench->tasks[i];
        if (task != NULL && memcmp(result_bytes(task), record, 2) == 0) {
            bench->tasks[i] = NULL;
            return task;
        }
    }
    return NULL;
}

static void end(struct bench *bench, const char *record, int64_t ns)
{
    struct result *task = leave(bench, record);
    task->tally.records = task->tally.emitted = records_in_task(task);
    core_done(bench->core, task, ns);
}

static enum core_verdict fail(struct bench *bench, const char *record, int64_t now)
{
    struct result *task = leave(bench, record);
    struct cause *cause = cause_create(ERROR_EXIT, "as it should");
    const struct attempt attempt = {.ns = 1, .may_split = true, .retriable = true};
    enum core_verdict verdict = core_fail(bench->core, task, cause, &attempt, now);
    if (verdict == CORE_DEAD) {
        task->tally.records = task->tally.failed = records_in_task(task);
        core_done(bench->core, task, 1);
    }
    cause_unref(cause);
    return verdict;
}

static bool is(const char *text, const char *other)
{
    if (strcmp(text, other) != 0) {
        printf("# '%s' is not '%s'\n", text, other);
    }
    return strcmp(text, other) == 0;
}

static void test_order(void)
{
    struct bench *bench = begin(set_up(1, 1));
    admit(bench, "a1 b1 a2 .1 b2 .2 a3");
    admit(bench, "a4 c1");
    OK(is(start(bench, 9), "a1 b1 .1 .2 c1"), "one record of a key is started, others pass it by");
    end(bench, "b1", 1);
    OK(is(start(bench, 9), "b2"), "when it has ended the next one of its key is");
    end(bench, "a1", 1);
    OK(is(start(bench, 9), "a2"), "in the order of the input");
    end(bench, "a2", 1);
    admit(bench, "a5 a6");
    OK(is(start(bench, 9), "a3"), "before those that were read later");
    end(bench, "a3", 1);
    OK(is(start(bench, 9), "a4"), "of whichever block");
    take_down(bench);

    bench = begin(set_up(2, 1));
    admit(bench, "a1 a2 a3 a4 a5");
    OK(is(start(bench, 9), "a1 a2"), "with two jobs for a key two are started");
    end(bench, "a2", 1);
    OK(is(start(bench, 9), "a3"), "one for each that ends");
    end(bench, "a3", 1);
    end(bench, "a1", 1);
    OK(is(start(bench, 9), "a4 a5"), "in order, whichever has ended");
    take_down(bench);
}

static void test_priority(void)
{
    struct bench *bench = begin(set_up(1, 1));
    admit(bench, "a1 b1 .1 a! b!");
    OK(is(start(bench, 1), "a1"), "what is urgent does not overtake its key");
    end(bench, "a1", 1);
    OK(is(start(bench, 1), "a!"), "but is the next one to start when it may");
    end(bench, "a!", 1);
    OK(is(start(bench, 2), "b1 .1"), "else it waits");
    end(bench, "b1", 1);
    OK(is(start(bench, 9), "b!"), "for what comes before it");
    take_down(bench);
}

static void test_retry(void)
{
    struct bench *bench = begin(set_up(1, 1));
    admit(bench, "a1 a2 b1");
    OK(is(start(bench, 1), "a1") && fail(bench, "a1", 1000) == CORE_RETRY &&
           is(start(bench, 9), "b1"),
       "a record between attempts holds its key, and no other");
    end(bench, "b1", 1);
    core_eof(bench->core);
    OK(!core_finished(bench->core), "and the run does not end");
    (void)core_tick(bench->core, 3000);
    OK(is(start(bench, 9), "a1"), "it is started again");
    OK(fail(bench, "a1", 3000) == CORE_DEAD && is(start(bench, 9), "a2"),
       "when it is given up the next one is");
    take_down(bench);
}

// A hot key does not keep others from running, however much of it waits.
static void test_hot_key(void)
{
    struct bench *bench = set_up(1, 1);
    bench->config.queue_size = 10;
    begin(bench);
    admit(bench, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9");
    OK(is(start(bench, 9), "a0"), "of a hot key one record is started");
    size_t room = 0;
    OK(core_try_room(bench->core, &room) && room == 10,
       "what waits for its key has left the queue, so others are read");
    admit(bench, "a. b1 a! c1 .1");
    OK(is(start(bench, 9), "b1 c1 .1"), "and started");
    take_down(bench);
}

static void test_many_keys(void)
{
    const size_t count = 100000;
    struct bench *bench = begin(set_up(1, 1));
    struct work work = {0};
    for (unsigned round = 0; round < 2; round++) {
        struct block *block = block_create(pool, count * 2);
        size_t max_records;
        block->delimiter = '\n';
        block->len = count * 2;
        block->keyed = calloc(count, sizeof(block->keyed[0]));
        block->keyed_count = count;
        for (size_t i = 0; i < count; i++) {
            memcpy(block->buf + 2 * i, "x\n", 2);
            block->keyed[i].hash = i + 1;
        }
        (void)core_try_room(bench->core, &max_records);
        core_admit(bench->core, block);
    }
    const struct result *last = NULL;
    size_t started = 0;
    for (; core_try_take(bench->core, &work) == CORE_TASK; started++) {
        last = work.task;
    }
    OK(started == count && bench->core->keys.count == count,
       "of a hundred thousand keys all are started, each once");
    OK(bench->core->keys.waiting == count, "as many records wait for them");
    work.task = NULL;
    struct result *task = bench->core->runs;
    while (task->task.off != (count / 2) * 2) {
        task = task->next;
    }
    task->tally.records = task->tally.emitted = 1;
    core_done(bench->core, task, 1);
    OK(core_try_take(bench->core, &work) == CORE_TASK && work.task->task.off == count / 2 * 2 &&
           work.task->task.block != last->task.block &&
           core_try_take(bench->core, &work) == CORE_WAIT,
       "when one ends the next one of its key is started");
    take_down(bench);
}

// Without memory for more keys they share one.
static void test_shared_key(void)
{
    struct bench *bench = begin(set_up(1, 1));
    admit(bench, "a1");
    bench->core->keys.shared.read = bench->core->keys.shared.started = 1; // as if there was none
    admit(bench, "b1 c1 a2 .1");
    OK(is(start(bench, 9), "a1 .1") && bench->core->keys.count == 1, "new keys share one key then");
    end(bench, "a1", 1);
    bench->core->keys.shared.ended++;
    OK(is(start(bench, 9), "a2"), "others have their own");
    admit(bench, "b2");
    OK(is(start(bench, 9), ""), "those that share one do so until all have ended");
    take_down(bench);
}

// A process that holds its answers back is told to give them if records wait for their keys, though
// more is being read.
static void test_flush(void)
{
    struct bench *bench = begin(set_up(1, 1));
    struct core_worker worker;
    struct work work = {0};
    size_t max_records;
    core_worker_init(&worker);
    worker.notify = notify;
    admit(bench, "a1 b1");
    (void)core_try_room(bench->core, &max_records);
    OK(core_poll(bench->core, &worker, &work) == CORE_TASK &&
           core_poll(bench->core, &worker, &work) == CORE_TASK &&
           core_poll(bench->core, &worker, &work) == CORE_WAIT,
       "as long as none waits for its key there may be more to read");
    bench->core->reading = false;
    admit(bench, "a2");
    (void)core_try_room(bench->core, &max_records);
    OK(core_poll(bench->core, &worker, &work) == CORE_FLUSH && !work.last,
       "when one does the process is flushed");
    core_worker_destroy(&worker);
    take_down(bench);
}

// --- tasks of several records

// A bench where it is known that a record takes so many nanoseconds.
static struct bench *set_up_batches(int64_t ns)
{
    struct bench *bench = begin(set_up(1, 0));
    admit(bench, ".0");
    start(bench, 1);
    end(bench, ".0", ns);
    return bench;
}

static void test_batches(void)
{
    struct bench *bench = set_up_batches(10);
    admit(bench, "a1 b1 a2 .1");
    OK(is(start(bench, 9), "a1b1a2.1"), "records of a key are run together, in order");
    admit(bench, "c1 d1 a3 e1 c2");
    OK(is(start(bench, 1), "c1d1"), "a batch ends before one whose key is busy");
    OK(is(start(bench, 9), ""), "if batches have many records it is waited for");
    end(bench, "c1", 10);
    OK(is(start(bench, 9), ""), "until its key is free");
    end(bench, "a1", 10);
    OK(is(start(bench, 9), "a3e1c2"), "then it is the first one of the next batch");
    OK(fail(bench, "a3", 1) == CORE_SPLIT && is(start(bench, 9), "a3e1 c2"),
       "parts of a batch have disjoint keys, so they run side by side");
    end(bench, "c2", 10);
    OK(fail(bench, "a3", 1) == CORE_SPLIT && is(start(bench, 9), "a3 e1") &&
           fail(bench, "a3", 1) == CORE_RETRY,
       "until one fails alone");
    admit(bench, "e2 a4 a5 f1");
    OK(is(start(bench, 9), ""), "while a batch runs its keys are waited for");
    end(bench, "e1", 10);
    OK(is(start(bench, 9), "e2 f1"), "but those of a record between attempts are passed by");
    (void)core_tick(bench->core, 5000);
    OK(is(start(bench, 9), "a3"), "when it is due it runs alone");
    end(bench, "a3", 10);
    OK(is(start(bench, 9), "a4a5"), "what was passed by comes out together if it stood so");
    take_down(bench);

    bench = set_up_batches(10);
    admit(bench, "a1 .1");
    OK(is(start(bench, 9), "a1.1") && fail(bench, "a1", 1) == CORE_SPLIT &&
           is(start(bench, 9), "a1 .1"),
       "a batch is split");
    admit(bench, "a2 b1");
    OK(is(start(bench, 9), "") && fail(bench, "a1", 1) == CORE_RETRY && is(start(bench, 9), "b1"),
       "others pass by as soon as what they wait for is between attempts");
    take_down(bench);

    bench = set_up_batches(1500);
    admit(bench, "a1 a2 b1 a3 c1");
    OK(is(start(bench, 9), "a1"), "what one batch took does not tell that all have few records");
    bench->core->config.even_cost = true;
    bench->core->blocked = false;
    OK(is(start(bench, 9), "b1 c1"), "but if they have others pass by");
    end(bench, "a1", 1500);
    OK(is(start(bench, 9), "a2"), "what waits for its key");
    take_down(bench);
}

static void test_exact_batches(void)
{
    struct bench *bench = set_up(1, 0);
    bench->config.whole_blocks = true;
    begin(bench);
    admit(bench, "a1 b1 a2");
    admit(bench, "c1 b2 d1");
    admit(bench, "e1");
    OK(is(start(bench, 9), "a1b1a2"), "an exact batch is started as a whole");
    end(bench, "a1", 1);
    OK(is(start(bench, 9), "c1b2d1 e1"), "when all of its keys are free");
    take_down(bench);
}

// Records with the same key are not run side by side when their batch is split.
static void test_sequence(void)
{
    struct bench *bench = set_up_batches(1);
    admit(bench, "a1 b1 a2 c1");
    OK(is(start(bench, 9), "a1b1a2c1") && fail(bench, "a1", 1) == CORE_SPLIT &&
           is(start(bench, 9), "a1b1"),
       "of a batch with a key twice one half is run first");
    OK(fail(bench, "a1", 1) == CORE_SPLIT && is(start(bench, 9), "a1"), "and so on");
    OK(fail(bench, "a1", 1) == CORE_RETRY && is(start(bench, 9), ""),
       "what is behind a record between attempts waits");
    (void)core_tick(bench->core, 5000);
    OK(is(start(bench, 9), "a1") && fail(bench, "a1", 5000) == CORE_DEAD, "until it is given up");
    OK(is(start(bench, 9), "b1"), "then the next part is run");
    end(bench, "b1", 1);
    OK(is(start(bench, 9), "a2c1"), "and the one after it");
    end(bench, "a2", 1);
    OK(bench->core->splits == NULL && bench->core->keys.count == 0, "nothing is left of it");
    take_down(bench);
}

static void test_doom(void)
{
    char records[40 * RECORD_BYTES];
    struct bench *bench = set_up(1, 0);
    unsigned dead = 0;
    bench->config.whole_blocks = true;
    bench->config.retries = 0;
    begin(bench);
    for (size_t i = 0; i < 40; i++) {
        memcpy(records + i * RECORD_BYTES, "ax ", RECORD_BYTES);
    }
    records[sizeof(records) - 1] = '\0';
    admit(bench, records);
    while (start(bench, 1)[0] != '\0' && bench->tasks[bench->count - 1]->task.doom == NULL) {
        dead += fail(bench, "ax", 1) == CORE_DEAD;
    }
    OK(dead == 16, "when %u records in a row died of the same the rest is not run", dead);
    OK(bench->tasks[bench->count - 1]->task.doom != NULL, "but fails with that");
    take_down(bench);
}

int main(void)
{
    pool = block_pool_create(64, 2);
    test_order();
    test_priority();
    test_retry();
    test_hot_key();
    test_many_keys();
    test_shared_key();
    test_flush();
    test_batches();
    test_exact_batches();
    test_sequence();
    test_doom();
    block_pool_destroy(pool);
    return tap_done();
}
