// SPDX-License-Identifier: BSD-2-Clause
// What the core starts first when records have priorities, with a clock of the test's own.

#include "core/core.h"
#include "core/levels.h"
#include "core/records.h"
#include "core_steps.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 256
#define MANY 12800 // records

static struct core *create(bool ordered, int64_t aging)
{
    const struct core_config config = {
        .pool = pool,
        .limit = 1000 * BLOCK_SIZE,
        .ring = 500,
        .workers = 4,
        .ordered = ordered,
        .task_records = 1,
        .retries = 1,
        .backoff = {.base = 1000, .max = 1000, .factor = 1},
        .aging = aging,
        .notify = notify,
    };
    return core_create(&config);
}

// Records of two bytes, a letter and a newline: a has level -1, b 0, c 1 and so on.
static void admit(struct core *core, const char *letters, int64_t now)
{
    size_t count = strlen(letters);
    struct block *block = new_block(2 * count);
    block->spans = calloc(count, sizeof(block->spans[0]));
    for (size_t i = 0; i < count; i++) {
        memcpy(block->buf + 2 * i, (char[]){letters[i], '\n'}, 2);
        if (i > 0 && letters[i] == letters[i - 1]) {
            block->spans[block->span_count - 1].len += 2;
            block->spans[block->span_count - 1].end += 2;
        } else {
            block->spans[block->span_count++] = (struct span){.block = block,
                                                              .off = 2 * i,
                                                              .len = 2,
                                                              .end = 2 * i + 2,
                                                              .level = letters[i] - 'b',
                                                              .entered = now};
        }
    }
    admit_block(core, block);
}

static void done(struct core *core, struct result *task)
{
    task->tally.records = task->tally.emitted = records_in_task(task);
    core_done(core, task, 1);
}

// The first bytes of tasks that are taken, up to `count`, and done at once.
static const char *start(struct core *core, unsigned count)
{
    static char text[1000];
    size_t len = 0;
    struct result *task;
    while (count-- > 0 && (task = take(core)) != NULL) {
        text[len++] = *result_bytes(task);
        done(core, task);
    }
    text[len] = '\0';
    return text;
}

static void fail(struct core *core, struct result *task, int64_t now)
{
    struct cause *cause = cause_create(ERROR_EXIT, "as it should");
    const struct attempt attempt = {.ns = 1, .may_split = true, .retriable = true};
    (void)core_fail(core, task, cause, &attempt, now);
    cause_unref(cause);
}

static bool is(const char *text, const char *other)
{
    return strcmp(text, other) == 0;
}

static void test_order(void)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        struct core *core = create(ordered, 0);
        admit(core, "ccbbac", 1);
        OK(is(start(core, 2), "ab"), "the most urgent records are started first");
        admit(core, "cab", 2);
        OK(is(start(core, 1), "a"), "of whichever block, though another is half carved");
        OK(is(start(core, 9), "bbcccc"), "then first come, first served");
        core_destroy(core);
    }
}

static void test_attempts(void)
{
    struct core *core = create(false, 0);
    admit(core, "bbc", 1);
    struct result *first = take(core);
    fail(core, first, 1000);
    OK(is(start(core, 1), "b"), "a record that waits for its next attempt is passed by");
    (void)core_tick(core, 5000);
    admit(core, "bca", 5000);
    OK(is(start(core, 1), "a"), "when it is due it has the level that it had");
    struct result *again = take(core);
    OK(again == first && again->task.level == 0 && again->task.attempts == 1,
       "and comes first there");
    done(core, again);
    OK(is(start(core, 9), "bcc"), "then come the others");
    core_destroy(core);
}

static void test_parts(void)
{
    struct core_config config = {.pool = pool,
                                 .limit = 1000 * BLOCK_SIZE,
                                 .ring = 9,
                                 .workers = 1,
                                 .task_records = 9,
                                 .notify = notify};
    struct core *core = core_create(&config);
    admit(core, "ccccb", 1);
    struct result *batch = take(core);
    OK(batch->task.len == 2 && batch->task.level == 0, "a batch has records of one level");
    done(core, batch);
    batch = take(core);
    OK(batch->task.len == 8 && batch->task.level == 1, "that stand together");
    fail(core, batch, 1);
    admit(core, "cb", 2);
    OK(is(start(core, 1), "b"), "the parts of one that failed are no more urgent than it was");
    struct result *part = take(core);
    OK(part->task.part && part->task.len == 4 && part->task.level == 1, "but come first there");
    done(core, part);
    OK(is(start(core, 9), "cc"), "then come the others");
    core_destroy(core);
}

// After tasks that took `start` and so many nanoseconds a byte: how many records the next one has,
// of `count` whose levels change so often. All of them are run.
static size_t taken_along(unsigned count, unsigned changes, int64_t start, int64_t pace)
{
    static char letters[MANY + 1];
    const struct core_config config = {.pool = pool,
                                       .limit = 1000 * BLOCK_SIZE,
                                       .ring = 9,
                                       .workers = 1,
                                       .task_ns = 1000000,
                                       .task_bytes = 100,
                                       .notify = notify};
    struct core *core = core_create(&config);
    struct result *task;
    for (unsigned size = 1; size <= 100; size *= 10) {
        memset(letters, 'b', size);
        letters[size] = '\0';
        admit(core, letters, 1);
        while ((task = take(core)) != NULL) {
            task->tally.records = task->tally.emitted = records_in_task(task);
            core_done(core, task, start + pace * (int64_t)task->task.len);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        letters[i] = i * changes / count % 2 > 0 ? 'a' : 'c';
    }
    letters[count] = '\0';
    admit(core, letters, 2);
    task = take(core);
    size_t records = records_in_task(task), all = records;
    OK(task->task.level == -1 && records_level(task->task.block, task->task.off) == -1 &&
           records_level(task->task.block, 1) == 1 &&
           records_level(task->task.block, 2 * count - 1) == -1,
       "the records know their own levels");
    done(core, task);
    while ((task = take(core)) != NULL) {
        all += records_in_task(task);
        done(core, task);
    }
    OK(all == count, "each record is run once");
    core_destroy(core);
    return records;
}

static void test_quick(void)
{
    OK(taken_along(100, 100, 0, 10) == 1, "each change of level is seen among few records,");
    OK(taken_along(MANY, 32, 0, 10) == MANY / 32, "and where there are few changes");
    OK(taken_along(MANY, MANY, 0, 10) == 3201, "else what is quick takes along what follows on it");
    OK(taken_along(MANY, MANY, 0, 10000) == 5, "as far as all of it is quick,");
    OK(taken_along(MANY, MANY, 0, 100000) == 1, "which no slow record is,");
    size_t count = taken_along(MANY, MANY, 400000, 10000);
    OK(count >= 40 && count <= 42, "or takes twice as long as the start of a task");
}

// How long a record of the level waits, in starts, while something more urgent comes with each.
static unsigned waits(char letter, int64_t aging, int64_t step)
{
    struct core *core = create(false, aging);
    int64_t now = 1000;
    unsigned starts = 0;
    admit(core, (char[]){letter, '\0'}, now);
    do {
        now += step;
        admit(core, "a", now);
        starts++;
    } while (starts < 400 && *start(core, 1) == 'a');
    core_destroy(core);
    return starts;
}

static void test_aging(void)
{
    OK(waits('d', 0, 10) == 400, "without aging a record can wait for ever");
    OK(waits('d', 100, 10) == 3 * 100 / 10 + 1, "with it, no longer than for the levels between");
    OK(waits('d', 1000, 10) == 3 * 1000 / 10 + 1, "a slower one takes longer");
    OK(waits('b', 100, 10) == 100 / 10 + 1, "fewer levels take less");
    OK(waits('d', 100, 1000) == 1, "it is time that counts, not starts");

    struct core *core = create(false, 100);
    admit(core, "ccc", 0);
    admit(core, "b", 50);
    admit(core, "ba", 150);
    OK(is(start(core, 9), "abcccb"), "each counts from when it came");
    core_destroy(core);
}

int main(void)
{
    pool = block_pool_create(BLOCK_SIZE, 4);
    test_order();
    test_attempts();
    test_parts();
    test_quick();
    test_aging();
    block_pool_destroy(pool);
    return tap_done();
}
