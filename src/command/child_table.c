// SPDX-License-Identifier: BSD-2-Clause
// The table of live children: a list, and places, of which each running child has one.

#include "command/child_table.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/thread.h"
#include "command/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// How long nothing runs and nothing can be started until that is a failure.
#define PATIENCE (30 * CLOCK_SECOND)

// How often a start is tried while nothing runs that could end.
#define RETRY (100 * CLOCK_MILLISECOND)

// After such a time one more child may run.
#define GROWTH CLOCK_SECOND

struct child_table {
    atomic_int ending; // the signal that all were sent; 0: none

    pthread_mutex_t mutex;  // guards the fields below, and signalling
    pthread_cond_t place;   // waiters: there may be a place, or the end
    pthread_cond_t settled; // waiter: nothing is being started
    struct child *first;
    bool stopped;    // nothing is started
    unsigned live;   // children in the list
    unsigned used;   // places: those, and what is being started
    unsigned places; // that there are
    unsigned lacked; // threads that wait for one
    int64_t limited; // when that number was last changed
    int64_t lacking; // since when nothing ran and nothing could be started; 0: not so
    bool warned_lack, warned_left;
};

struct child_table *child_table_create(void)
{
    struct child_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return NULL;
    }
    table->places = UINT_MAX;
    if (thread_cond_init(&table->place) != 0) {
        goto fail;
    }
    if (thread_cond_init(&table->settled) != 0) {
        goto fail_settled;
    }
    if ((errno = pthread_mutex_init(&table->mutex, NULL)) != 0) {
        goto fail_mutex;
    }
    return table;

fail_mutex:
    pthread_cond_destroy(&table->settled);
fail_settled:
    pthread_cond_destroy(&table->place);
fail:
    free(table);
    return NULL;
}

void child_table_destroy(struct child_table *table)
{
    if (table != NULL) {
        THREAD_MUST(pthread_mutex_destroy(&table->mutex));
        THREAD_MUST(pthread_cond_destroy(&table->settled));
        THREAD_MUST(pthread_cond_destroy(&table->place));
        free(table);
    }
}

bool child_table_ending(const struct child_table *table)
{
    return atomic_load(&table->ending) != 0;
}

// --- signalling

static void signal_group(const struct child *child, int signal)
{
    (void)kill(-child->pid, signal); // fails only if all of it has other privileges
    if (signal == SIGTERM) {
        (void)kill(-child->pid, SIGCONT); // what is stopped receives nothing but this and SIGKILL
    }
}

static void signal_all(struct child_table *table, int signal)
{
    for (struct child *child = table->first; child != NULL; child = child->next) {
        signal_group(child, signal);
    }
}

void child_table_signal(struct child_table *table, struct child *child, int signal)
{
    mutex_lock(&table->mutex);
    signal_group(child, signal);
    mutex_unlock(&table->mutex);
}

void child_table_stop(struct child_table *table)
{
    mutex_lock(&table->mutex);
    table->stopped = true;
    signal_all(table, SIGSTOP);
    while (table->used > table->live) { // what is being started stops when it is added
        cond_wait(&table->settled, &table->mutex);
    }
    mutex_unlock(&table->mutex);
}

void child_table_continue(struct child_table *table)
{
    mutex_lock(&table->mutex);
    table->stopped = false;
    signal_all(table, SIGCONT);
    THREAD_MUST(pthread_cond_broadcast(&table->place));
    mutex_unlock(&table->mutex);
}

void child_table_end(struct child_table *table, int signal)
{
    mutex_lock(&table->mutex);
    atomic_store(&table->ending, signal);
    signal_all(table, signal);
    THREAD_MUST(pthread_cond_broadcast(&table->place));
    mutex_unlock(&table->mutex);
}

// --- places

// Wait for a place, or until it is time to see whether there may be one more.
static void wait_for_place(struct child_table *table, int64_t ns)
{
    table->lacked++;
    cond_wait_for(&table->place, &table->mutex, ns);
    table->lacked--;
    int64_t now = clock_now();
    if (now - table->limited >= GROWTH && table->live > 0) {
        table->places++;
        table->limited = now;
    }
}

bool child_table_enter(struct child_table *table)
{
    mutex_lock(&table->mutex);
    while (!child_table_ending(table)) {
        if (table->stopped) {
            cond_wait(&table->place, &table->mutex);
        } else if (table->used >= table->places) {
            wait_for_place(table, GROWTH);
        } else {
            break;
        }
    }
    bool entered = !child_table_ending(table);
    table->used += entered;
    mutex_unlock(&table->mutex);
    return entered;
}

bool child_table_is_short(struct child_table *table)
{
    mutex_lock(&table->mutex);
    bool is_short = table->lacked > 0;
    mutex_unlock(&table->mutex);
    return is_short;
}

static void leave(struct child_table *table)
{
    table->used--;
    cond_signal(&table->place);
    cond_signal(&table->settled);
}

void child_table_leave(struct child_table *table)
{
    mutex_lock(&table->mutex);
    leave(table);
    mutex_unlock(&table->mutex);
}

static void warn_lack(struct child_table *table, int error)
{
    if (!table->warned_lack) {
        table->warned_lack = true;
        diag_warn("not all processes can run at the same time: %s; going on with fewer "
                  "(see ulimit -u and -n, or --jobs)",
                  strerror(error));
    }
}

bool child_table_lack(struct child_table *table)
{
    int error = errno;
    mutex_lock(&table->mutex);
    warn_lack(table, error);
    int64_t now = clock_now();
    bool hope = true;
    table->places = table->live > 0 ? table->live : 1;
    table->limited = now;
    leave(table);
    if (table->live == 0) {
        table->lacking = table->lacking != 0 ? table->lacking : now;
        hope = now - table->lacking < PATIENCE;
        if (hope && !child_table_ending(table)) {
            cond_wait_for(&table->place, &table->mutex, RETRY);
        }
    }
    mutex_unlock(&table->mutex);
    errno = error;
    return hope;
}

// --- children

void child_table_add(struct child_table *table, struct child *child)
{
    mutex_lock(&table->mutex);
    child->prev = NULL;
    child->next = table->first;
    if (table->first != NULL) {
        table->first->prev = child;
    }
    table->first = child;
    table->live++;
    table->lacking = 0;
    cond_signal(&table->settled);
    if (table->stopped) {
        signal_group(child, SIGSTOP);
    }
    if (child_table_ending(table)) {
        signal_group(child, atomic_load(&table->ending));
    }
    mutex_unlock(&table->mutex);
}

void child_table_remove(struct child_table *table, struct child *child)
{
    mutex_lock(&table->mutex);
    *(child->prev != NULL ? &child->prev->next : &table->first) = child->next;
    if (child->next != NULL) {
        child->next->prev = child->prev;
    }
    table->live--;
    leave(table);
    mutex_unlock(&table->mutex);
}

void child_table_warn_left(struct child_table *table)
{
    mutex_lock(&table->mutex);
    bool first = !table->warned_left;
    table->warned_left = true;
    mutex_unlock(&table->mutex);
    if (first) {
        diag_warn("COMMAND left a process behind that holds its output open; what that still "
                  "writes is lost (redirect its output, or wait for it)");
    }
}
