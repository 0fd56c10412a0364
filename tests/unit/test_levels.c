// SPDX-License-Identifier: BSD-2-Clause
// Queues by level: order among levels and within one.

#include "core/levels.h"
#include "tap.h"

#include <stdlib.h>

static struct levels levels;
static struct span spans[1000];

static bool comes_next(const struct span *span)
{
    bool next = levels_first(&levels) == span;
    levels_pop(&levels);
    return next;
}

static void test_order(void)
{
    OK(levels_first(&levels) == NULL, "nothing waits at first");
    levels_push(&levels, 0, &spans[0]);
    levels_push(&levels, LEVEL_MAX, &spans[1]);
    levels_push(&levels, 0, &spans[2]);
    levels_push(&levels, LEVEL_MIN, &spans[3]);
    levels_push(&levels, -1, &spans[4]);
    OK(comes_next(&spans[3]), "the smallest level comes first");
    OK(comes_next(&spans[4]), "a negative level comes before 0");
    OK(comes_next(&spans[0]) && comes_next(&spans[2]), "first come, first served within a level");
    levels_push(&levels, -5, &spans[5]);
    OK(comes_next(&spans[5]), "what comes later and is more urgent overtakes");
    OK(comes_next(&spans[1]), "the largest level comes last");
    OK(levels_first(&levels) == NULL, "nothing is left");
}

static void test_all_levels(void)
{
    for (int level = LEVEL_MAX; level >= LEVEL_MIN; level--) {
        levels_push(&levels, level, &spans[level - LEVEL_MIN]);
    }
    bool ordered = true;
    for (int level = LEVEL_MIN; level <= LEVEL_MAX; level++) {
        ordered = ordered && comes_next(&spans[level - LEVEL_MIN]);
    }
    OK(ordered && levels_first(&levels) == NULL, "every level is found, in order");
}

// Against a plain search through an array.
static void test_random(void)
{
    static int level_of[1000];
    static bool waits[1000];
    size_t pushed = 0;
    bool ordered = true;
    srand(1);
    for (unsigned step = 0; step < 5000; step++) {
        if (pushed < 1000 && rand() % 3 != 0) {
            level_of[pushed] = rand() % LEVEL_COUNT + LEVEL_MIN;
            waits[pushed] = true;
            levels_push(&levels, level_of[pushed], &spans[pushed]);
            pushed++;
            continue;
        }
        size_t best = 1000;
        for (size_t i = 0; i < pushed; i++) {
            if (waits[i] && (best == 1000 || level_of[i] < level_of[best])) {
                best = i;
            }
        }
        if (best == 1000) {
            ordered = ordered && levels_first(&levels) == NULL;
        } else {
            ordered = ordered && comes_next(&spans[best]);
            waits[best] = false;
        }
    }
    OK(ordered && pushed == 1000, "a random sequence comes out as a plain search says");
}

int main(void)
{
    test_order();
    test_all_levels();
    test_random();
    return tap_done();
}
