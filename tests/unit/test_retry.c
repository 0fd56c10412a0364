// SPDX-License-Identifier: BSD-2-Clause
// What is tried again, how long it waits, and the heap in which it does.

#include "core/backoff.h"
#include "core/retry.h"
#include "core/retry_on.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define MILLISECOND INT64_C(1000000)

static void test_heap(void)
{
    static struct result results[2000];
    struct retry_heap heap = {0};
    srand(1);
    size_t count = 0;
    bool ordered = true;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 100; i++) {
            results[count].task.due = rand() % 1000;
            retry_push(&heap, &results[count++]);
        }
        int64_t last = -1;
        for (unsigned i = 0; i < 50; i++) {
            struct result *result = retry_pop(&heap);
            ordered = ordered && result->task.due >= last;
            last = result->task.due;
        }
    }
    OK(ordered, "what is due first comes first");

    int64_t last = -1;
    for (count = 0; heap.root != NULL; count++) {
        struct result *result = retry_pop(&heap);
        ordered = ordered && result->task.due >= last && result->next == NULL &&
                  result->heap_child == NULL;
        last = result->task.due;
    }
    OK(ordered && count == 1000, "all that waits comes out, once and unlinked");
}

static void test_delay(void)
{
    const struct backoff backoff = {
        .base = 100 * MILLISECOND, .max = 1000 * MILLISECOND, .factor = 2};
    OK(backoff_delay(&backoff, 1, 0) == 50 * MILLISECOND,
       "the first wait is at least half the base");
    OK(backoff_delay(&backoff, 1, UINT64_MAX) <= 100 * MILLISECOND &&
           backoff_delay(&backoff, 1, UINT64_MAX) > 99 * MILLISECOND,
       "and at most the base");
    OK(backoff_delay(&backoff, 3, 0) == 200 * MILLISECOND,
       "each further wait is longer by the factor");
    OK(backoff_delay(&backoff, 5, 0) == 500 * MILLISECOND, "up to the maximum");
    OK(backoff_delay(&backoff, 1000000, 0) == 500 * MILLISECOND, "and no further");

    const struct backoff fixed = {.base = MILLISECOND, .max = 30 * MILLISECOND, .factor = 1};
    OK(backoff_delay(&fixed, 100, UINT64_C(1) << 63) == MILLISECOND * 3 / 4,
       "a factor of 1 waits the same each time");
}

static bool wanted(const struct retry_on *retry_on, enum error error, int status)
{
    const struct cause cause = {.error = error, .status = status};
    return retry_is_wanted(retry_on, &cause);
}

static void test_wanted(void)
{
    const struct retry_on all = {.errors = RETRY_ON_ALL};
    OK(wanted(&all, ERROR_EXIT, 1) && wanted(&all, ERROR_SIGNAL, -1) &&
           wanted(&all, ERROR_TIMEOUT, -1) && wanted(&all, ERROR_SPAWN, -1) &&
           wanted(&all, ERROR_CRASH, -1) && wanted(&all, ERROR_PROTOCOL, -1),
       "what the command does may go well the next time");
    OK(!wanted(&all, ERROR_REGEX, -1) && !wanted(&all, ERROR_TOO_LONG, -1) &&
           !wanted(&all, ERROR_PLUGIN, -1),
       "what the record is does not");

    struct retry_on some = {.errors = RETRY_ON(ERROR_TIMEOUT)};
    statuses_parse(&some.statuses, "5-7", 3);
    OK(wanted(&some, ERROR_EXIT, 5) && wanted(&some, ERROR_EXIT, 7), "some statuses alone");
    OK(!wanted(&some, ERROR_EXIT, 4) && !wanted(&some, ERROR_EXIT, 8), "and no others");
    OK(wanted(&some, ERROR_TIMEOUT, -1) && !wanted(&some, ERROR_SIGNAL, -1), "some errors alone");
}

int main(void)
{
    test_heap();
    test_delay();
    test_wanted();
    return tap_done();
}
