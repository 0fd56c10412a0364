// SPDX-License-Identifier: BSD-2-Clause
// How long it is tried to start a child where there is a lack of something, with a clock that is
// held, and moved by hand.

#include "command/child_table.h"

#include "base/clock.h"
#include "command/child.h"
#include "tap.h"

#include <errno.h>

static struct child_table *table;

static void set_clock(int64_t seconds)
{
    atomic_store(&clock_held, seconds * CLOCK_SECOND);
}

// At that second a child cannot be started for lack of processes. May it be tried again?
static bool lacks_at(int64_t seconds)
{
    set_clock(seconds);
    bool entered = child_table_enter(table);
    errno = EAGAIN;
    return entered && child_table_lack(table);
}

static void test_patience(void)
{
    table = child_table_create();
    OK(lacks_at(100) && lacks_at(110) && lacks_at(129), "a start is tried again for 30 seconds");
    OK(!lacks_at(130) && errno == EAGAIN, "and then no more, for the same reason");
    OK(!lacks_at(140), "nor is that of another child, if none was started in between");
    child_table_destroy(table);
}

static void test_progress(void)
{
    struct child child = {0};
    table = child_table_create();
    OK(lacks_at(100), "nothing can be started,");
    set_clock(120);
    OK(child_table_enter(table), "then something can");
    child_table_add(table, &child);
    set_clock(150);
    child_table_remove(table, &child);
    OK(lacks_at(160) && lacks_at(189), "the 30 seconds begin anew with the next lack,");
    OK(!lacks_at(190), "and end");
    child_table_destroy(table);
}

static void test_company(void)
{
    struct child child = {0};
    table = child_table_create();
    OK(child_table_enter(table), "one child runs,");
    child_table_add(table, &child);
    OK(lacks_at(100), "another one cannot be started");
    OK(lacks_at(1000), "that is tried again for as long as the first one runs,");
    child_table_remove(table, &child);
    OK(lacks_at(2000) && lacks_at(2029) && !lacks_at(2030), "and for 30 seconds more");
    child_table_destroy(table);
}

int main(void)
{
    test_patience();
    test_progress();
    test_company();
    return tap_done();
}
