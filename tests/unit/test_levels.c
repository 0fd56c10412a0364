// SPDX-License-Identifier: BSD-2-Clause
// Queues by level: order among levels and within one, and of what has waited for long.

#include "core/levels.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define SPANS 1000

static struct levels levels;
static struct span spans[SPANS];
static struct result tasks[3];

static void push(size_t i, int level, int64_t entered)
{
    spans[i].level = level;
    spans[i].entered = entered;
    levels_push(&levels, &spans[i]);
}

static void push_task(size_t i, int level)
{
    tasks[i].task.level = level;
    levels_push_task(&levels, &tasks[i]);
}

static bool comes_next(const struct span *span)
{
    bool next = levels_first(&levels) == span && levels_first_task(&levels) == NULL;
    levels_pop(&levels);
    return next;
}

static bool task_comes_next(const struct result *task)
{
    bool next = levels_first_task(&levels) == task && levels_first(&levels) == NULL;
    levels_pop(&levels);
    return next;
}

static bool nothing_waits(void)
{
    return levels_empty(&levels) && levels_first(&levels) == NULL &&
           levels_first_task(&levels) == NULL;
}

static void test_order(void)
{
    OK(nothing_waits(), "nothing waits at first");
    push(0, 0, 0);
    push(1, LEVEL_MAX, 0);
    push(2, 0, 0);
    push(3, LEVEL_MIN, 0);
    push(4, -1, 0);
    OK(!levels_empty(&levels), "then something does");
    OK(comes_next(&spans[3]), "the smallest level comes first");
    OK(comes_next(&spans[4]), "a negative level comes before 0");
    OK(comes_next(&spans[0]) && comes_next(&spans[2]), "first come, first served within a level");
    push(5, -5, 0);
    OK(comes_next(&spans[5]), "what comes later and is more urgent overtakes");
    OK(comes_next(&spans[1]), "the largest level comes last");
    OK(nothing_waits(), "nothing is left");
}

static void test_all_levels(void)
{
    for (int level = LEVEL_MAX; level >= LEVEL_MIN; level--) {
        push((size_t)(level - LEVEL_MIN), level, 0);
    }
    bool ordered = true;
    for (int level = LEVEL_MIN; level <= LEVEL_MAX; level++) {
        ordered = ordered && comes_next(&spans[level - LEVEL_MIN]);
    }
    OK(ordered && nothing_waits(), "every level is found, in order");
}

static void test_tasks(void)
{
    push(0, 0, 0);
    push_task(0, 0);
    push_task(1, 0);
    push_task(2, 3);
    push(1, -1, 0);
    OK(comes_next(&spans[1]), "what was started before keeps its level");
    OK(task_comes_next(&tasks[0]) && task_comes_next(&tasks[1]),
       "in its level it comes first, one after the other");
    OK(comes_next(&spans[0]) && task_comes_next(&tasks[2]), "then comes what was not started");
    OK(nothing_waits(), "nothing of it is left");

    push_task(0, 5);
    push_task(1, 5);
    push_task(2, -5);
    push(0, 5, 0);
    unsigned count = 0;
    for (const struct result *task = levels_take_tasks(&levels); task != NULL;
         task = task->queue_next) {
        count++;
    }
    OK(count == 3 && comes_next(&spans[0]) && nothing_waits(),
       "all tasks can be taken out at once, records stay");
}

// Time is what the test says.
static void test_aging(void)
{
    levels.aging = 10;
    push(0, 3, 0);
    push(2, 3, 29);
    push(1, 0, 29);
    push(3, 0, 30);
    push(4, 0, 31);
    OK(comes_next(&spans[1]), "what is more urgent comes first for as long as it may");
    OK(comes_next(&spans[3]) && comes_next(&spans[0]),
       "after 3 times 10 what comes 3 levels below is no more urgent");
    OK(comes_next(&spans[4]) && comes_next(&spans[2]), "each counts from when it came itself");
    OK(nothing_waits(), "nothing that grew older is left");
    levels.aging = 0;
}

// Against a plain search through an array.
static bool as_searched(int64_t aging)
{
    bool waits[SPANS] = {false}, ordered = true;
    size_t pushed = 0;
    levels.aging = aging;
    for (unsigned step = 0; step < 5000; step++) {
        if (pushed < SPANS && rand() % 3 != 0) {
            waits[pushed] = true;
            push(pushed, rand() % LEVEL_COUNT + LEVEL_MIN, step);
            pushed++;
            continue;
        }
        size_t best = SPANS;
        int64_t turn_of_best = INT64_MAX;
        for (size_t i = 0; i < pushed; i++) {
            int64_t turn = aging > 0 ? spans[i].level * aging + spans[i].entered : spans[i].level;
            if (waits[i] && (turn < turn_of_best ||
                             (turn == turn_of_best && spans[i].level < spans[best].level))) {
                best = i;
                turn_of_best = turn;
            }
        }
        if (best == SPANS) {
            ordered = ordered && nothing_waits();
        } else {
            ordered = ordered && comes_next(&spans[best]);
            waits[best] = false;
        }
    }
    return ordered && pushed == SPANS && nothing_waits();
}

// Something of the most urgent level comes all the time, faster than it is taken. How many of these
// are taken while one record of another level waits?
static unsigned overtaken(int level, int64_t aging)
{
    unsigned count = 0;
    memset(&levels, 0, sizeof(levels));
    levels.aging = aging;
    push(0, level, 0);
    for (size_t now = 1; now < SPANS - 1; now++) {
        push(now, LEVEL_MIN, (int64_t)now);
        if (levels_first(&levels) == &spans[0]) {
            break;
        }
        levels_pop(&levels);
        count++;
    }
    memset(&levels, 0, sizeof(levels));
    return count;
}

static void test_starving(void)
{
    OK(overtaken(0, 0) == SPANS - 2, "without aging what is less urgent can wait for ever");
    OK(overtaken(0, 5) == 5 * 100, "with it, at most for so long for each level between");
    OK(overtaken(LEVEL_MIN + 1, 7) == 7, "one level takes it once");
    OK(overtaken(LEVEL_MIN, 5) == 0, "in the smallest level nothing overtakes");
}

int main(void)
{
    test_order();
    test_all_levels();
    test_tasks();
    test_aging();
    srand(1);
    OK(as_searched(0), "a random sequence comes out as a plain search says");
    OK(as_searched(10), "so does one that grows older");
    test_starving();
    return tap_done();
}
