// SPDX-License-Identifier: BSD-2-Clause
// What the core decides, step by step, with a clock of the test's own.

#include "core/core.h"
#include "core/records.h"
#include "core_steps.h"
#include "tap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 64

static struct core_config usual(void)
{
    return (struct core_config){
        .pool = pool,
        .limit = 100 * BLOCK_SIZE,
        .ring = 8,
        .workers = 4,
        .ordered = true,
        .task_records = 1,
        .task_ns = 1000,
        .task_bytes = 1000,
        .backoff = {.base = 1000, .max = 8000, .factor = 2},
        .notify = notify,
    };
}

// Read `records` and admit them as one block.
static struct block *admit(struct core *core, const char *records)
{
    struct block *block = new_block(strlen(records));
    block->records = records_count(records, block->len, '\n');
    memcpy(block->buf, records, block->len);
    admit_block(core, block);
    return block;
}

static bool is(const struct result *task, const char *records)
{
    return task != NULL && task->task.len == strlen(records) &&
           memcmp(result_bytes(task), records, task->task.len) == 0;
}

// Emit all of the task, by reference.
static void done(struct core *core, struct result *task, int64_t ns)
{
    task->iov = malloc(sizeof(*task->iov));
    task->iov[0] = (struct iovec){(char *)result_bytes(task), task->task.len};
    task->iov_count = 1;
    task->refers = true;
    task->tally.records = task->tally.emitted =
        records_count(result_bytes(task), task->task.len, '\n');
    core_done(core, task, ns);
}

static void fail_records(struct result *task, struct cause *cause)
{
    struct records records = records_of(task);
    struct record record;
    while (records_next(&records, &record)) {
        result_fail(task, task->tally.records++, record.bytes, record.len, cause);
    }
}

// The task fails with that exit status; if it is dead, so are its records.
static enum core_verdict fail_with(struct core *core, struct result *task, int status,
                                   struct attempt attempt, int64_t now)
{
    struct cause *cause = cause_create(ERROR_EXIT, "exit status %d", status);
    cause->status = status;
    enum core_verdict verdict = core_fail(core, task, cause, &attempt, now);
    if (verdict == CORE_DEAD) {
        fail_records(task, cause);
        core_done(core, task, attempt.ns);
    }
    cause_unref(cause);
    return verdict;
}

static enum core_verdict fail(struct core *core, struct result *task, bool retriable, int64_t now)
{
    return fail_with(core, task, 1,
                     (struct attempt){.ns = 1, .may_split = true, .retriable = retriable}, now);
}

static const struct attempt apart = {.ns = 1, .may_split = true};

// Take what can be written, as one string, and say that it was written.
static const char *written(struct core *core)
{
    static char text[1000];
    struct work work;
    size_t len = 0;
    if (!core_try_output(core, &work)) {
        return "";
    }
    for (struct result *result = work.results; result != NULL; result = result->queue_next) {
        for (size_t i = 0; i < result->iov_count; i++) {
            memcpy(text + len, result->iov[i].iov_base, result->iov[i].iov_len);
            len += result->iov[i].iov_len;
        }
    }
    text[len] = '\0';
    while (work.failures != NULL) {
        struct failure *next = work.failures->next;
        len += (size_t)sprintf(text + len, "!%d", (int)work.failures->nr);
        failure_destroy(work.failures);
        work.failures = next;
    }
    core_written(core, work.results, NULL);
    return text;
}

static void test_order(void)
{
    struct core_config config = usual();
    struct core *core = core_create(&config);
    admit(core, "1\n2\n");
    admit(core, "3\n");
    struct result *one = take(core), *two = take(core), *three = take(core);
    OK(is(one, "1\n") && is(two, "2\n") && is(three, "3\n"), "records start in input order");
    OK(take(core) == NULL, "and none twice");
    done(core, three, 1);
    done(core, two, 1);
    OK(strcmp(written(core), "") == 0, "nothing is written while the first runs");
    done(core, one, 1);
    OK(strcmp(written(core), "1\n2\n3\n") == 0, "then all of it is, in order");
    core_eof(core);
    OK(core_finished(core), "and the run is finished");
    core_destroy(core);

    config.ordered = false;
    core = core_create(&config);
    admit(core, "1\n2\n");
    one = take(core);
    two = take(core);
    done(core, two, 1);
    OK(strcmp(written(core), "2\n") == 0, "unordered, what is done is written at once");
    uint64_t nr;
    core_position(core, &nr);
    OK(nr == 0 && core_ledger(core).read == 0, "but is settled only after what was read before it");
    done(core, one, 1);
    OK(strcmp(written(core), "1\n") == 0, "so is the rest");
    OK(core_position(core, &nr) == &input && nr == 2 && core_ledger(core).emitted == 2,
       "and all is settled");
    core_destroy(core);
}

// The task has nothing to write.
static void drop(struct core *core, struct result *task)
{
    task->tally.records = task->tally.dropped = 1;
    core_done(core, task, 1);
}

static void test_silent(void)
{
    struct core_config config = usual();
    struct core *core = core_create(&config);
    struct work work;
    admit(core, "1\n2\n3\n4\n");
    struct result *one = take(core), *two = take(core), *three = take(core), *four = take(core);
    drop(core, two);
    OK(core_ledger(core).dropped == 0, "what has nothing to write waits for its turn");
    drop(core, one);
    OK(core_ledger(core).dropped == 2 && !core_try_output(core, &work), "but for no writer");
    done(core, three, 1);
    drop(core, four);
    OK(core_ledger(core).dropped == 2, "unless something is to be written before it");
    OK(strcmp(written(core), "3\n") == 0 && core_ledger(core).dropped == 3, "and was written");
    core_destroy(core);
}

static void test_room(void)
{
    struct core_config config = usual();
    config.limit = 1;
    struct core *core = core_create(&config);
    size_t max_records;
    OK(core_try_room(core, &max_records), "there is room for one block, whatever the budget");
    OK(!core_try_room(core, &max_records), "only one reads at a time");
    admit(core, "1\n2\n");
    OK(!core_try_room(core, &max_records), "no room while the block is there");
    done(core, take(core), 1);
    written(core);
    OK(!core_try_room(core, &max_records), "nor while part of it is");
    done(core, take(core), 1);
    OK(!core_try_room(core, &max_records), "nor while its output is not written");
    written(core);
    OK(core_try_room(core, &max_records), "room again when all of it is written");
    core_eof(core);
    core_destroy(core);

    config = usual();
    core = core_create(&config);
    admit(core, "1\n");
    bool room = true;
    for (unsigned i = 0; i < 100 * BLOCK_SIZE; i++) { // far more than the budget, in all
        room = room && core_try_room(core, &max_records);
        admit(core, "2\n");
        done(core, take(core), 1);
        written(core);
    }
    OK(room, "two blocks at a time fit, however many there were before");
    core_destroy(core);

    config = usual();
    config.ring = 2;
    core = core_create(&config);
    admit(core, "1\n");
    admit(core, "2\n");
    OK(!core_try_room(core, &max_records), "no more blocks than the ring has places");
    core_destroy(core);

    config = usual();
    config.ordered = false;
    config.limit = 20 * BLOCK_SIZE;
    core = core_create(&config);
    unsigned blocks = 0;
    struct result *stuck = NULL;
    while (blocks < 100 && core_try_room(core, &max_records)) {
        admit(core, "0123456789012345678901234567890123456789012345678901234567890\n");
        struct result *task = take(core);
        if (stuck == NULL) {
            stuck = task;
        } else {
            done(core, task, 1);
        }
        written(core);
        blocks++;
    }
    OK(blocks > 1 && blocks < 20,
       "nothing is read further ahead of a stuck record than the budget");
    done(core, stuck, 1);
    core_destroy(core);
}

static void test_fitting(void)
{
    struct block *block = block_create(pool, 0);
    memcpy(block->buf, "1\n", 2);
    block->len = 2;
    block_fit(pool, block);
    OK(block->cap == 2 && memcmp(block->buf, "1\n", 2) == 0,
       "a block that is nearly empty gets memory that fits");
    block_destroy(pool, block);

    block = block_create(pool, 0);
    const char *buf = block->buf;
    block->len = BLOCK_SIZE / 4;
    block_fit(pool, block);
    OK(block->cap == BLOCK_SIZE && block->buf == buf, "others stay where they are");
    block_destroy(pool, block);
}

static void test_queue_size(void)
{
    struct core_config config = usual();
    config.queue_size = 3;
    struct core *core = core_create(&config);
    size_t max_records;
    OK(core_try_room(core, &max_records) && max_records == 3, "the queue takes so many records");
    admit(core, "1\n2\n");
    OK(core_try_room(core, &max_records) && max_records == 1, "less those that wait");
    admit(core, "3\n");
    OK(!core_try_room(core, &max_records), "none when it is full");
    done(core, take(core), 1);
    OK(core_try_room(core, &max_records) && max_records == 1, "one more when one has started");
    core_eof(core);
    core_destroy(core);
}

static bool goes_on(struct core *core, unsigned running, uint64_t queued, uint64_t ahead)
{
    struct core_activity activity = core_activity(core);
    return activity.running == running && activity.queued == queued && activity.ahead == ahead;
}

static void test_activity(void)
{
    struct core_config config = usual();
    struct core *core = core_create(&config);
    OK(goes_on(core, 0, 0, 0), "nothing goes on at first");
    admit(core, "1\n22\n");
    OK(goes_on(core, 0, 5, 5), "what was read waits, in bytes");
    struct result *one = take(core), *two = take(core);
    OK(goes_on(core, 2, 0, 5), "until it runs");
    done(core, two, 1);
    OK(goes_on(core, 1, 0, 5), "what is done is not settled");
    done(core, one, 1);
    (void)written(core);
    OK(goes_on(core, 0, 0, 0), "before it is written");
    core_destroy(core);

    config.queue_size = 9;
    core = core_create(&config);
    admit(core, "1\n22\n");
    OK(goes_on(core, 0, 2, 5) && core_activity(core).queued_records,
       "records are counted where their number is limited");
    core_destroy(core);
}

static void test_self_serve(void)
{
    struct core_config config = usual();
    config.self_serve = true;
    struct core *core = core_create(&config);
    struct work work;
    OK(core_worker_wanted(core) && !core_worker_wanted(core), "one worker is wanted at first");
    OK(core_try_take(core, &work) == CORE_READ, "a free worker reads");
    OK(core_try_take(core, &work) == CORE_WAIT, "another one waits meanwhile");
    admit(core, "1\n2\n");
    OK(core_try_take(core, &work) == CORE_TASK, "what was read is run");
    struct result *one = work.task;
    OK(core_try_take(core, &work) == CORE_TASK, "before more is read");
    done(core, work.task, 1);
    OK(core_try_take(core, &work) == CORE_READ, "a worker with nothing to run reads");
    done(core, one, 1);
    OK(core_try_take(core, &work) == CORE_WRITE, "what is ready is written by whoever is free");
    struct work other;
    OK(core_try_take(core, &other) == CORE_WAIT, "by one at a time");
    core_eof(core);
    OK(core_try_take(core, &other) == CORE_END && !core_finished(core),
       "others end when nothing is left to run");
    core_written(core, work.results, NULL);
    OK(core_try_take(core, &work) == CORE_END && core_finished(core),
       "the last when all is written");
    core_destroy(core);
}

static void test_carving(void)
{
    struct core_config config = usual();
    config.task_records = 0;
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n5\n6\n7\n8\n");
    struct result *task = take(core);
    OK(is(task, "1\n2\n3\n4\n5\n6\n7\n8\n"), "a small block is one task while the cost is unknown");
    done(core, task, 10000000);
    admit(core, "1\n2\n3\n4\n5\n6\n7\n8\n");
    task = take(core);
    OK(is(task, "1\n"), "costly records make small tasks");
    core_give_up(core, task);
    core_destroy(core);
}

#define MS 1000000

// A core with a large block of records of two bytes. A task should hold 200 ms of work.
static struct core *create_large(void)
{
    struct core_config config = usual();
    config.limit = 100 * MS;
    config.task_records = 0;
    config.task_ns = 200 * MS;
    config.task_bytes = 1;
    struct core *core = core_create(&config);
    char *lines = malloc(1000001);
    for (unsigned i = 0; i < 1000000; i += 2) {
        memcpy(lines + i, "x\n", 3);
    }
    admit(core, lines);
    free(lines);
    return core;
}

// Its records are run, each of which takes so many nanoseconds, and 2 ms more for each start
// (`slow` more for the third), until all of the block is, or the most tasks were. Returns how many
// were; *last is how many records the last one had.
static unsigned adapt(int64_t ns, int64_t slow, unsigned most, size_t *last)
{
    struct core *core = create_large();
    unsigned tasks = 0;
    struct result *task = NULL;
    while (tasks < most && (task = take(core)) != NULL) {
        tasks++;
        *last = task->task.len / 2;
        done(core, task, 2 * MS + ns * (int64_t)*last + (tasks == 3 ? slow : 0));
    }
    core_destroy(core);
    return tasks;
}

static void test_adapting(void)
{
    size_t last;
    OK(adapt(0, 0, 1, &last) == 1 && last == 1,
       "the first task has one record if nothing is known");
    OK(adapt(10, 0, 100, &last) <= 6, "tasks of cheap records grow to a block in a few steps");
    OK(adapt(20 * MS, 0, 30, &last) == 30 && last >= 7 && last <= 11,
       "they hold as much work as they should");
    OK(adapt(300 * MS, 0, 5, &last) == 5 && last == 1, "costly records stay alone");
    OK(adapt(10, 10000 * (int64_t)MS, 100, &last) < 50,
       "a start that was slow once does not matter for long");
}

// Records that take 100 ns each, and 2 ms for each start: 20 000 of them are worth one.
static void test_sharing_out(void)
{
    struct core *core = create_large();
    struct result *task;
    for (unsigned i = 0; i < 4; i++) { // 1 record, 32, 1024 and so on
        task = take(core);
        done(core, task, 2 * MS + 100 * (int64_t)(task->task.len / 2));
    }
    core_eof(core);
    size_t most = 0, least = SIZE_MAX, part = (size_t)core_activity(core).queued / 4;
    while ((task = take(core)) != NULL) {
        size_t len = task->task.len;
        most = len > most ? len : most;
        least = len < least ? len : least;
        done(core, task, 2 * MS + 100 * (int64_t)(len / 2));
    }
    OK(most <= part + 2, "at the end of the input no worker gets more than its part");
    OK(least >= 39000, "but no less than its start is worth");
    core_destroy(core);
}

static void test_failing(void)
{
    struct core_config config = usual();
    config.task_records = 4;
    config.retries = 2;
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n");
    core_eof(core);
    OK(fail(core, take(core), true, 0) == CORE_SPLIT, "a task that fails is split");
    struct result *first = take(core), *second = take(core);
    OK(is(first, "1\n2\n") && is(second, "3\n4\n"), "in halves");
    done(core, first, 1);
    fail(core, second, true, 0);
    struct result *three = take(core), *four = take(core);
    OK(is(three, "3\n") && is(four, "4\n"), "until the record stands alone");
    done(core, four, 1);

    OK(fail(core, three, true, 5000) == CORE_RETRY && take(core) == NULL, "then it waits");
    int64_t due = core_tick(core, 5000);
    OK(due >= 5500 && due < 6000, "between half the base and the base");
    OK(core_tick(core, due - 1) == due && take(core) == NULL, "not a moment less");
    OK(core_tick(core, due) == INT64_MAX, "and no more");
    three = take(core);
    OK(is(three, "3\n") && three->task.attempts == 1, "and is tried again");
    OK(strcmp(written(core), "1\n2\n") == 0, "its place in the output is kept");
    fail(core, three, true, due);
    int64_t longer = core_tick(core, due) - due;
    OK(longer >= 1000 && longer < 2000, "the next wait is longer");
    core_tick(core, due + longer);
    three = take(core);
    OK(fail(core, three, true, due) == CORE_DEAD, "until its attempts are used up");
    OK(strcmp(written(core), "4\n") == 0, "the rest is written");
    OK(strcmp(written(core), "!3") == 0, "and the failure is told, with the record's number");
    struct ledger ledger = core_ledger(core);
    OK(ledger.read == 4 && ledger.emitted == 3 && ledger.failed == 1 && ledger.retried == 1,
       "the ledger says so");
    OK(ledger.attempts == 7 && ledger.splits == 2, "and how many runs that took");
    OK(core_finished(core), "the run is finished");
    core_destroy(core);

    config.task_records = 1;
    core = core_create(&config);
    admit(core, "1\n");
    OK(fail(core, take(core), false, 0) == CORE_DEAD, "what another attempt cannot help is dead");
    core_destroy(core);

    config.task_records = 3;
    core = core_create(&config);
    admit(core, "1\n2\n3\n");
    core_eof(core);
    struct result *batch = take(core);
    const struct attempt whole = {.retriable = true};
    OK(fail_with(core, batch, 1, whole, 0) == CORE_RETRY, "what must not be split is retried");
    core_tick(core, 1000);
    OK(is(batch = take(core), "1\n2\n3\n"), "as a whole");
    fail_with(core, batch, 1, whole, 1000);
    core_tick(core, 3000);
    OK(fail_with(core, take(core), 1, whole, 3000) == CORE_DEAD, "and dies as a whole");
    OK(strcmp(written(core), "!1!2!3") == 0, "which is told of each of its records");
    ledger = core_ledger(core);
    OK(ledger.failed == 3 && ledger.attempts == 3 && ledger.retried == 3 && ledger.splits == 0,
       "the ledger counts its runs");
    core_destroy(core);
}

static void test_stop(void)
{
    struct core_config config = usual();
    struct core *core = core_create(&config);
    size_t max_records;
    admit(core, "1\n2\n3\n");
    struct result *one = take(core);
    core_stop(core, CORE_SOON);
    OK(take(core) == NULL, "after a stop nothing new is started");
    OK(!core_try_room(core, &max_records), "nor read");
    OK(!core_finished(core), "what runs is waited for");
    done(core, one, 1);
    OK(!core_finished(core), "and written");
    OK(strcmp(written(core), "1\n") == 0 && core_finished(core), "then the run is finished");
    core_close_ledger(core);
    struct ledger ledger = core_ledger(core);
    OK(ledger.read == 3 && ledger.emitted == 1 && ledger.unprocessed == 2,
       "the rest is unprocessed");
    core_destroy(core);

    core = core_create(&config);
    admit(core, "1\n2\n");
    done(core, take(core), 1);
    struct work work;
    core_try_output(core, &work);
    core_written(core, work.results, work.results);
    OK(take(core) == NULL && core_finished(core), "a broken output ends the run");
    core_close_ledger(core);
    ledger = core_ledger(core);
    OK(ledger.unprocessed == 2 && ledger.emitted == 0, "what was not written is unprocessed");
    core_destroy(core);
}

static void test_stuck_writer(void)
{
    struct core_config config = usual();
    config.ordered = false;
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n");
    struct result *first = take(core), *second = take(core), *third = take(core);
    fail(core, second, false, 0);
    OK(written(core)[0] == '\0', "a failure is not told before what comes before it is settled");
    done(core, third, 1);
    struct work work;
    OK(core_try_output(core, &work), "a writer is stuck");
    core_stop(core, CORE_NOW);
    core_give_up(core, first);
    struct failure *failure = core_close_ledger(core);
    OK(failure != NULL && failure->nr == 2 && failure->next == NULL,
       "what failed is told at the end all the same");
    failures_destroy(failure);
    core_destroy(core);
}

// A batch of `count` records, "0\n", "1\n" and so on, taken. Nothing else is to be read.
static struct result *take_batch(struct core *core, unsigned count)
{
    char text[5000] = "";
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        len += (size_t)sprintf(text + len, "%u\n", i);
    }
    admit(core, text);
    core_eof(core);
    return take(core);
}

// A batch of 40 records fails, and both halves of it.
static struct core *fail_halves(struct core_config config)
{
    config.task_records = 40;
    struct core *core = core_create(&config);
    OK(fail_with(core, take_batch(core, 40), 1, apart, 0) == CORE_SPLIT, "a batch fails");
    struct result *first = take(core), *second = take(core);
    fail_with(core, second, 1, apart, 0);
    OK(take(core) == NULL, "a half that failed waits for the other one");
    fail_with(core, first, 1, apart, 0);
    return core;
}

static void test_doom(void)
{
    static const unsigned places[] = {0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37};
    struct core *core = fail_halves(usual());
    struct result *samples[16];
    bool spread = true;
    for (unsigned i = 0; i < 16; i++) {
        char record[8];
        sprintf(record, "%u\n", places[i]);
        samples[i] = take(core);
        spread = spread && is(samples[i], record);
    }
    OK(spread, "if both halves fail, 16 records spread evenly run alone");
    OK(take(core) == NULL, "while the rest waits");
    for (unsigned i = 0; i < 16; i++) {
        fail_with(core, samples[i], 127, apart, 0);
    }
    bool doomed = true;
    struct result *rest;
    while ((rest = take(core)) != NULL) {
        doomed = doomed && rest->task.doom != NULL && rest->task.doom->status == 127;
        fail_records(rest, rest->task.doom);
        core_done(core, rest, 0);
    }
    OK(doomed, "if all die alike the rest is doomed");
    struct work work;
    unsigned told = 0;
    uint64_t unrun = 0;
    while (core_try_output(core, &work)) {
        for (const struct failure *next = work.failures; next != NULL; next = next->next) {
            told += next->nr == told + 1 && next->cause->status == 127;
            unrun += next->attempts == 0;
        }
        failures_destroy(work.failures);
        core_written(core, work.results, NULL);
    }
    OK(told == 40 && unrun == 24, "all fail with that cause, in order, 24 without an attempt");
    struct ledger ledger = core_ledger(core);
    OK(ledger.failed == 40 && ledger.doomed == 24 && ledger.attempts == 19 && ledger.splits == 3,
       "which takes 19 runs");
    OK(core_finished(core), "the run is finished");
    core_destroy(core);
}

// It is known at which record a task failed.
static void test_suspect(void)
{
    static const struct {
        size_t begin, end;
        const char *parts[3];
    } cases[] = {
        {4, 6, {"1\n2\n", "3\n", "4\n5\n"}},
        {0, 2, {"1\n", "2\n3\n4\n5\n"}},
        {8, 10, {"1\n2\n3\n4\n", "5\n"}},
    };
    struct core_config config = usual();
    config.task_records = 5;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct core *core = core_create(&config);
        const struct attempt attempt = {
            .may_split = true, .suspect_begin = cases[i].begin, .suspect_end = cases[i].end};
        admit(core, "1\n2\n3\n4\n5\n");
        core_eof(core);
        OK(fail_with(core, take(core), 1, attempt, 0) == CORE_SPLIT, "a task with a suspect fails");
        struct result *parts[3];
        bool right = true;
        for (size_t part = 0; part < 3; part++) {
            const char *expected = cases[i].parts[part];
            parts[part] = take(core);
            right = right && (parts[part] != NULL) == (expected != NULL) &&
                    (expected == NULL || is(parts[part], expected));
        }
        OK(right, "that one is run alone, those before and those behind at the same time");
        for (size_t part = 0; part < 3 && parts[part] != NULL; part++) {
            done(core, parts[part], 1);
        }
        OK(strcmp(written(core), "1\n2\n3\n4\n5\n") == 0 && core_finished(core),
           "and all are written");
        core_destroy(core);
    }
}

// One sample ends otherwise than the others: the rest is run.
static void test_reprieve(void)
{
    struct core *core = fail_halves(usual());
    struct result *samples[16];
    for (unsigned i = 0; i < 16; i++) {
        samples[i] = take(core);
    }
    fail_with(core, samples[0], 1, apart, 0);
    OK(take(core) == NULL, "one sample says nothing of the rest");
    done(core, samples[1], 1);
    struct result *rest = take(core);
    OK(is(rest, "1\n") && rest->task.doom == NULL, "a sample that goes well lets the rest run");
    OK(is(take(core), "3\n4\n"), "in the parts that lie between the samples");
    core_destroy(core);

    core = fail_halves(usual());
    for (unsigned i = 0; i < 16; i++) {
        samples[i] = take(core);
    }
    for (unsigned i = 0; i < 15; i++) {
        fail_with(core, samples[i], 1, apart, 0);
    }
    OK(take(core) == NULL, "the last sample decides");
    fail_with(core, samples[15], 2, apart, 0);
    rest = take(core);
    OK(is(rest, "1\n") && rest->task.doom == NULL, "so does one that dies of something else");
    core_destroy(core);
}

static void test_dropped_samples(void)
{
    struct core *core = fail_halves(usual());
    struct result *task;
    unsigned dropped = 0;
    bool alone = true;
    // Operations drop all but the records 3 and 39.
    while ((task = take(core)) != NULL && task->task.doom == NULL) {
        alone = alone && records_in_task(task) == 1;
        if (is(task, "3\n") || is(task, "38\n")) {
            fail_with(core, task, 1, apart, 0);
        } else {
            task->tally = (struct tally){.records = 1, .dropped = 1};
            core_done(core, task, 0);
            dropped++;
        }
    }
    OK(alone && dropped == 36, "a sample that operations drop is replaced by the record behind it");
    OK(is(task, "4\n"), "until those that were run have decided");
    fail_records(task, task->task.doom);
    core_done(core, task, 0);
    OK(is(task = take(core), "39\n") && task->task.doom != NULL, "for all that is left");
    core_destroy(core);
}

static void test_waiting_memory(void)
{
    struct core_config config = usual();
    config.task_records = 20;
    config.retries = 1;
    struct core *core = core_create(&config);
    char text[500] = "";
    for (unsigned i = 0; i < 40; i++) {
        sprintf(text + strlen(text), i < 20 ? "long record %u\n" : "%u\n", i);
    }
    const struct block *block = admit(core, text);
    core_eof(core);
    done(core, take(core), 1);
    fail_with(core, take(core), 1, apart, 0);
    struct result *first = take(core), *second = take(core);
    fail_with(core, first, 1, apart, 0);
    fail_with(core, second, 1, apart, 0);
    written(core);
    fail_with(core, take(core), 1, (struct attempt){.ns = 1, .may_split = true, .retriable = true},
              0);
    for (unsigned i = 1; i < 16; i++) {
        fail_with(core, take(core), 1, apart, 0);
    }
    OK(take(core) == NULL && block->buf == NULL,
       "what waits for a sample's next attempt does not keep the block in memory");
    core_tick(core, 1000);
    struct result *sample = take(core);
    OK(is(sample, "20\n"), "nor does the sample");
    done(core, sample, 1);
    OK(is(take(core), "24\n"), "and goes on");
    core_destroy(core);
}

// How many runs it takes to find up to `bad` records, anywhere among `count`.
static uint64_t runs_to_find(unsigned count, unsigned bad, unsigned seed)
{
    struct core_config config = usual();
    config.task_records = count;
    struct core *core = core_create(&config);
    bool fails[1024] = {false};
    for (unsigned i = 0; i < bad; i++) {
        seed = seed * 1103515245 + 12345;
        fails[(seed >> 16) % count] = true;
    }
    for (struct result *task = take_batch(core, count); task != NULL; task = take(core)) {
        struct records records = records_of(task);
        struct record record;
        bool failed = false;
        while (records_next(&records, &record)) {
            failed = failed || fails[atoi(record.bytes)];
        }
        if (task->task.doom != NULL) {
            fail_records(task, task->task.doom);
            core_done(core, task, 0);
        } else if (failed) {
            fail_with(core, task, 1, apart, 0);
        } else {
            done(core, task, 1);
        }
    }
    uint64_t runs = core_ledger(core).attempts;
    core_destroy(core);
    return runs;
}

// Of 1024 records; by bytes, of which they do not all have the same number.
#define HALVINGS 12

static void test_runs(void)
{
    OK(runs_to_find(1000, 0, 1) == 1, "a batch that goes well is one run");
    OK(runs_to_find(1024, 1, 1) <= 1 + 2 * HALVINGS, "one bad record is found by halving");
    for (unsigned bad = 1; bad <= 256; bad *= 2) {
        uint64_t most = 0;
        for (unsigned seed = 0; seed < 20; seed++) {
            uint64_t runs = runs_to_find(1024, bad, seed);
            most = runs > most ? runs : most;
        }
        OK(most <= 1 + bad * 2 * HALVINGS + (bad - 1) * 32, "%u of them take no more than %ju runs",
           bad, (uintmax_t)most);
    }
}

// After how many records that fail ('x') or go well a run halts; 0: it does not.
static unsigned halted_after(struct halt halt, const char *ends)
{
    struct core_config config = usual();
    config.halt = halt;
    struct core *core = core_create(&config);
    unsigned count = 0;
    uint64_t emitted, failed;
    admit(core, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n");
    while (ends[count] != '\0' && !core_halted(core, &emitted, &failed)) {
        if (ends[count++] == 'x') {
            fail(core, take(core), false, 0);
        } else {
            done(core, take(core), 1);
        }
    }
    unsigned after = core_halted(core, &emitted, &failed) ? count : 0;
    if (after > 0 && (take(core) != NULL || emitted + failed != count)) {
        after = UINT_MAX; // no task starts after a halt
    }
    core_destroy(core);
    return after;
}

static void test_halt(void)
{
    const struct halt fail_2 = {.why = HALT_FAIL, .value = 2};
    const struct halt success_3 = {.why = HALT_SUCCESS, .value = 3};
    const struct halt done_4 = {.why = HALT_DONE, .value = 4};
    const struct halt fail_half = {.why = HALT_FAIL, .percent = true, .value = 50};
    const struct halt done_share = {.why = HALT_DONE, .percent = true, .value = 1};
    OK(halted_after(fail_2, ".x.x....") == 4, "the second failure halts the run");
    OK(halted_after(success_3, "x.x..xx.") == 5, "so does the third success");
    OK(halted_after(done_4, "x.x..xx.") == 4, "or the fourth record");
    OK(halted_after(fail_2, "x.......") == 0, "nothing does if that never comes");
    OK(halted_after(fail_half, "xxxxxxxxxx") == 10,
       "shares are looked at from the tenth record on");
    OK(halted_after(fail_half, "......xxxx") == 0, "less than the share is not enough");
    OK(halted_after(fail_half, "......xxxxxx") == 12, "the share itself is");
    OK(halted_after(done_share, "..........") == 10, "all records are done");

    struct core_config config = usual();
    config.halt = (struct halt){.why = HALT_FAIL, .value = 1};
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n5\n");
    struct result *one = take(core), *two = take(core), *three = take(core);
    fail(core, two, false, 0);
    done(core, three, 1);
    OK(!core_finished(core) && strcmp(written(core), "") == 0, "what runs is waited for");
    done(core, one, 1);
    OK(strcmp(written(core), "1\n3\n") == 0, "and written");
    OK(strcmp(written(core), "!2") == 0 && core_finished(core), "then the run is finished");
    failures_destroy(core_close_ledger(core));
    struct ledger ledger = core_ledger(core);
    OK(ledger.emitted == 2 && ledger.failed == 1 && ledger.unprocessed == 2,
       "what was not run is unprocessed");
    core_destroy(core);
}

// The second of four records is not processed to its end.
static struct core *lose_second(bool now)
{
    struct core_config config = usual();
    config.halt = (struct halt){.why = HALT_FAIL, .now = true, .value = now ? 1 : 100};
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n");
    struct result *one = take(core), *two = take(core), *three = take(core), *four = take(core);
    done(core, one, 1);
    done(core, three, 1);
    fail(core, four, false, 0);
    if (!now) {
        core_stop(core, CORE_NOW);
    }
    core_give_up(core, two);
    return core;
}

static void test_gap(void)
{
    struct core *core = lose_second(true);
    OK(strcmp(written(core), "1\n3\n") == 0,
       "when the run is halted now what is done is written, and what was ended left out");
    struct failure *failures = core_close_ledger(core);
    OK(failures != NULL && failures->nr == 4, "what failed behind it is told");
    failures_destroy(failures);
    struct ledger ledger = core_ledger(core);
    OK(ledger.emitted == 2 && ledger.failed == 1 && ledger.unprocessed == 1,
       "only what was ended is unprocessed");
    core_destroy(core);

    core = lose_second(false);
    OK(strcmp(written(core), "1\n") == 0, "after a signal only what is before it is written");
    failures = core_close_ledger(core);
    OK(failures != NULL && failures->nr == 4, "what failed behind it is told nevertheless");
    failures_destroy(failures);
    ledger = core_ledger(core);
    OK(ledger.emitted == 1 && ledger.failed == 1 && ledger.unprocessed == 2,
       "what is not written is unprocessed");
    core_destroy(core);
}

static void count_notice(void *arg)
{
    (*(unsigned *)arg)++;
}

static void test_cut(void)
{
    struct core_config config = usual();
    config.task_records = 4;
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n");
    core_eof(core);
    struct result *rest = take(core), *front = core_cut(core, rest, 2);
    OK(is(front, "1\n") && is(rest, "2\n3\n4\n"), "what can be done is cut off a task that fails");
    fail_with(core, rest, 1, apart, 0);
    OK(is(rest = take(core), "2\n3\n"), "only the rest is split");
    done(core, front, 1);
    done(core, rest, 1);
    done(core, take(core), 1);
    OK(strcmp(written(core), "1\n2\n3\n4\n") == 0 && core_finished(core), "all is in order");
    core_destroy(core);
}

static void test_cut_done(void)
{
    struct core_config config = usual();
    config.task_records = 4;
    config.retries = 1;
    config.backoff = (struct backoff){.base = 10, .max = 10, .factor = 1};
    struct core *core = core_create(&config);
    admit(core, "1\n2\n3\n4\n");
    core_eof(core);
    struct result *rest = take(core);
    rest->iov = malloc(sizeof(*rest->iov));
    rest->iov[0] = (struct iovec){(char *)result_bytes(rest), 2};
    rest->iov_count = 1;
    rest->refers = true;
    rest->tally.records = rest->tally.emitted = 1;
    struct result *front = core_cut_done(core, rest, 2);
    OK(is(front, "1\n") && front->iov_count == 1 && front->tally.emitted == 1,
       "what is done is cut off a task, with its output");
    OK(is(rest, "2\n3\n4\n") && rest->iov_count == 0 && rest->tally.records == 0,
       "the rest has none");
    core_done(core, front, 1);
    struct result *alone = core_cut(core, rest, 2);
    struct cause *cause = cause_create(ERROR_PLUGIN, "not yet");
    OK(core_fail(core, alone, cause, &(struct attempt){.retriable = true}, 0) == CORE_RETRY,
       "a record that is cut out can be tried again");
    cause_unref(cause);
    done(core, rest, 1);
    core_tick(core, 20);
    done(core, take(core), 1);
    OK(strcmp(written(core), "1\n2\n3\n4\n") == 0 && core_finished(core), "all is in order");
    core_destroy(core);
}

static void test_flush(void)
{
    struct core_config config = usual();
    config.ring = 2;
    struct core *core = core_create(&config);
    struct core_worker workers[2];
    unsigned notices[2] = {0};
    struct work work, other;
    for (unsigned i = 0; i < 2; i++) {
        core_worker_init(&workers[i]);
        workers[i].notify = count_notice;
        workers[i].notify_arg = &notices[i];
    }
    admit(core, "1\n");
    OK(core_poll(core, &workers[0], &work) == CORE_TASK && is(work.task, "1\n"),
       "a worker takes a task");
    OK(core_poll(core, &workers[0], &other) == CORE_WAIT, "and waits while there may be more");
    admit(core, "2\n");
    OK(notices[0] == 1, "it is told when there is");
    OK(core_poll(core, &workers[0], &other) == CORE_TASK && is(other.task, "2\n"),
       "and takes it beside the first");
    OK(core_poll(core, &workers[0], &other) == CORE_FLUSH && !other.last,
       "it is told to flush when there is no room to read more");
    done(core, work.task, 1);
    OK(strcmp(written(core), "1\n") == 0 && core_poll(core, &workers[0], &work) == CORE_WAIT,
       "not while there is");
    admit(core, "3\n4\n");
    core_eof(core);
    struct result *three = take(core);
    OK(core_poll(core, &workers[1], &work) == CORE_TASK && is(work.task, "4\n"),
       "another worker takes a task");
    for (unsigned i = 0; i < 2; i++) {
        notices[i] = 0;
        OK(core_poll(core, &workers[i], &other) == CORE_WAIT, "nor while others run something");
    }
    done(core, three, 1);
    OK(notices[0] == 1 && notices[1] == 1, "at the end of the input all are told");
    OK(core_poll(core, &workers[0], &other) == CORE_FLUSH && other.last, "to flush");
    OK(core_poll(core, &workers[1], &other) == CORE_FLUSH && other.last, "both of them");
    done(core, work.task, 1);
    OK(core_poll(core, &workers[1], &other) == CORE_WAIT, "who has no more to flush waits");
    core_destroy(core);
    for (unsigned i = 0; i < 2; i++) {
        core_worker_destroy(&workers[i]);
    }
}

static void test_busy(void)
{
    struct core_config config = usual();
    struct core *core = core_create(&config);
    struct core_worker workers[2];
    unsigned notices[2] = {0};
    struct work work;
    for (unsigned i = 0; i < 2; i++) {
        core_worker_init(&workers[i]);
        workers[i].notify = count_notice;
        workers[i].notify_arg = &notices[i];
        OK(core_poll(core, &workers[i], &work) == CORE_WAIT, "a worker waits");
    }
    core_busy(core, &workers[1]);
    admit(core, "1\n2\n");
    OK(notices[0] == 1 && notices[1] == 0, "who is busy is not woken");
    core_busy(core, &workers[0]);
    OK(core_poll(core, &workers[1], &work) == CORE_TASK, "and asks when he likes");
    core_destroy(core);
    for (unsigned i = 0; i < 2; i++) {
        core_worker_destroy(&workers[i]);
    }
}

int main(void)
{
    pool = block_pool_create(BLOCK_SIZE, 4);
    test_order();
    test_silent();
    test_room();
    test_fitting();
    test_queue_size();
    test_activity();
    test_self_serve();
    test_carving();
    test_adapting();
    test_sharing_out();
    test_failing();
    test_doom();
    test_suspect();
    test_reprieve();
    test_dropped_samples();
    test_waiting_memory();
    test_runs();
    test_stop();
    test_halt();
    test_gap();
    test_cut();
    test_cut_done();
    test_flush();
    test_busy();
    test_stuck_writer();
    block_pool_destroy(pool);
    return tap_done();
}
