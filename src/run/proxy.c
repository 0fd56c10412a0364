// SPDX-License-Identifier: BSD-2-Clause
// A worker thread's dealings with its forked worker.
//
// Every worker has a generation of its own, which tasks and answers name: so a task that was sent
// to one that was dying already is not run by its successor, and can be sent again.

#include "run/proxy.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/signal_text.h"
#include "cli/settings.h"
#include "core/records.h"
#include "plan/plan.h"
#include "run/frame.h"
#include "run/pool.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

// A worker that cannot be forked is tried again so often, and for so long.
#define PAUSE_MS 100
#define PATIENCE_NS (30 * CLOCK_SECOND)

// So many workers may die in a row before they are ready.
#define STILLBORN_MAX 16

struct proxy {
    struct pool *pool;
    struct place *place;
    struct watch *watch;
    unsigned number; // of the place
    unsigned generation;
    int socket;
    bool ready;     // the worker has started, and is not known to be dead
    bool condemned; // it was told to be killed
    struct answer_frame answer;

    // Of the last run.
    struct attempt attempt;
    struct cause *cause;
    struct retriable retriable;
};

const struct retriable *proxy_retriable(const struct proxy *proxy)
{
    return &proxy->retriable;
}

struct attempt proxy_attempt(const struct proxy *proxy)
{
    return proxy->attempt;
}

struct cause *proxy_cause(const struct proxy *proxy)
{
    return proxy->cause;
}

// --- waiting for answers

// Milliseconds until `due`, for poll().
static int milliseconds_until(int64_t due)
{
    int64_t left = (due - clock_now()) / CLOCK_MILLISECOND;
    return left < 0 ? 0 : left < INT_MAX ? (int)left + 1 : INT_MAX;
}

// Which record the worker is at, as plan_state_watch() has it.
static uint64_t progress(const struct proxy *proxy)
{
    return atomic_load(&proxy->watch->progress);
}

static void condemn(struct proxy *proxy)
{
    proxy->condemned = true;
    zygote_kill(&proxy->pool->zygote, proxy->number, proxy->generation);
}

// Wait until there is an answer, and kill the worker if no record is done for --timeout.
static void keep_to_time(struct proxy *proxy)
{
    int64_t timeout = proxy->pool->settings->timeout, due = clock_now() + timeout;
    struct pollfd fds = {.fd = proxy->socket, .events = POLLIN};
    uint64_t seen = 1; // the first record begins with the task
    while (poll(&fds, 1, milliseconds_until(due)) <= 0) {
        uint64_t now = progress(proxy);
        if (now > seen) {
            seen = now;
            due = clock_now() + timeout;
        } else if (clock_now() >= due) {
            condemn(proxy);
            return;
        }
    }
}

// The next answer of this worker. False: there are no workers any more.
static bool receive(struct proxy *proxy)
{
    for (;;) {
        ssize_t got = recv(proxy->socket, &proxy->answer, sizeof(proxy->answer), 0);
        if (got == sizeof(proxy->answer)) {
            if (proxy->answer.generation == proxy->generation) {
                return true;
            }
        } else if (got >= 0 || errno != EINTR) {
            break;
        }
    }
    if (!atomic_load(&proxy->pool->ended) && !atomic_exchange(&proxy->pool->lost, true)) {
        diag_error("the process that forks workers has died, and they with it");
    }
    return false;
}

// --- having a worker

// Say how a worker ended.
static void describe(char *text, size_t size, int status)
{
    char name[SIGNAL_TEXT_SIZE];
    if (WIFSIGNALED(status)) {
        (void)snprintf(text, size, "killed by %s", signal_text(WTERMSIG(status), name));
    } else {
        (void)snprintf(text, size, "exit with status %d", WEXITSTATUS(status));
    }
}

// There will be no worker, as is told once.
static void give_in(struct proxy *proxy, int status)
{
    char why[64];
    describe(why, sizeof(why), status);
    if (!atomic_exchange(&proxy->pool->lost, true)) {
        diag_error("forked workers die before they have a record: %s", why);
    }
}

// Fork a worker and wait until it is ready. Returns 0, or -1 with errno set: as fork() has it, or
// ECANCELED if it is of no use to try again, as was told, or the run ends.
static int start_worker(struct proxy *proxy)
{
    for (unsigned stillborn = 0; stillborn < STILLBORN_MAX; stillborn++) {
        proxy->condemned = false;
        zygote_start(&proxy->pool->zygote, proxy->number, ++proxy->generation);
        errno = ECANCELED;
        if (!receive(proxy)) {
            return -1;
        }
        switch (proxy->answer.kind) {
        case ANSWER_READY:
            proxy->ready = true;
            return 0;
        case ANSWER_DEAD:
            break;
        default: // it says why
            errno = proxy->answer.status;
            return -1;
        }
    }
    give_in(proxy, proxy->answer.status);
    errno = ECANCELED;
    return -1;
}

// A worker has died: have another one. PROXY_FAILED: none can be forked (errno).
static enum proxy_end replace_worker(struct proxy *proxy)
{
    int64_t since = clock_now();
    while (start_worker(proxy) != 0) {
        if (atomic_load(&proxy->pool->ended)) {
            return PROXY_ENDED;
        }
        if (errno == ECANCELED) {
            atomic_store(&proxy->pool->lost, true);
            return PROXY_BROKEN;
        }
        if (clock_now() - since >= PATIENCE_NS) {
            return PROXY_FAILED;
        }
        if (!atomic_exchange(&proxy->pool->told_wait, true)) {
            diag_warn("a worker cannot be forked now: %s; trying again", strerror(errno));
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return PROXY_DONE;
}

struct proxy *proxy_create(struct pool *pool, unsigned slot)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    if (proxy == NULL) {
        return NULL;
    }
    proxy->pool = pool;
    proxy->number = slot - 1;
    proxy->place = &pool->places[proxy->number];
    proxy->watch = &pool->watches[proxy->number];
    proxy->socket = pool->sockets[proxy->number][0];
    if (start_worker(proxy) != 0) {
        int error = errno;
        proxy_destroy(proxy);
        errno = error;
        return NULL;
    }
    return proxy;
}

void proxy_destroy(struct proxy *proxy)
{
    if (proxy != NULL) {
        (void)shutdown(proxy->socket, SHUT_RDWR); // the worker is to end
        cause_unref(proxy->cause);
        cause_unref(proxy->retriable.cause);
        free(proxy);
    }
}

// --- runs that fail

static enum proxy_end fail(struct proxy *proxy, struct cause *cause, bool may_split)
{
    cause_unref(proxy->cause);
    proxy->cause = cause;
    if (cause == NULL) {
        return PROXY_BROKEN;
    }
    proxy->attempt.may_split = may_split;
    proxy->attempt.retriable = retry_is_wanted(&proxy->pool->settings->retry_on, cause);
    return PROXY_FAILED;
}

// Where the record of the task ends that byte `off` is in.
static size_t record_end(const struct result *task, size_t off)
{
    const char *bytes = result_bytes(task);
    struct records records = records_between(task, bytes + off, bytes + task->task.len);
    struct record record = {0};
    (void)records_next(&records, &record); // there is one
    return (size_t)(record.next - bytes);
}

// Where the task is to be split: around the record that ran, if there was one, else in the middle.
static void find_suspect(struct proxy *proxy, const struct result *task)
{
    struct attempt *attempt = &proxy->attempt;
    uint64_t at = progress(proxy);
    // A worker that crashed may have written anything there.
    bool known = at > 0 && at <= task->task.len;
    size_t begin = known ? (size_t)at - 1 : 0;
    if (known && (begin == 0 || record_end(task, begin - 1) == begin)) {
        attempt->suspect_begin = begin;
        attempt->suspect_end = record_end(task, begin);
    } else {
        attempt->suspect_begin = 0;
        attempt->suspect_end = records_middle(task);
    }
}

static struct cause *cause_of_death(const struct proxy *proxy, int status)
{
    char text[64];
    if (proxy->condemned) {
        return cause_create(ERROR_TIMEOUT, "had not ended after %g s (--timeout)",
                            (double)proxy->pool->settings->timeout / (double)CLOCK_SECOND);
    }
    describe(text, sizeof(text), status);
    struct cause *cause = cause_create(ERROR_CRASH, "%s, in a forked worker", text);
    if (cause != NULL && WIFSIGNALED(status)) {
        cause->signal = WTERMSIG(status);
    } else if (cause != NULL) {
        cause->status = WEXITSTATUS(status);
    }
    return cause;
}

// The worker has died while it had the task.
static enum proxy_end blame(struct proxy *proxy, const struct result *task, int status)
{
    find_suspect(proxy, task);
    return fail(proxy, cause_of_death(proxy, status), true);
}

// --- a run

// Returns 0, or -1: there was no memory.
static int send_task(struct proxy *proxy, const struct result *task, struct iovec header)
{
    struct task_frame frame;
    if (frame_pack_task(&frame, &proxy->place->tasks, task, proxy->pool->blocks, header) != 0) {
        return -1;
    }
    frame.generation = proxy->generation;
    frame.result_area = proxy->place->results.size;
    atomic_store(&proxy->watch->begun, false);
    atomic_store(&proxy->watch->progress, 0);
    ssize_t sent = send(proxy->socket, &frame, sizeof(frame), MSG_NOSIGNAL);
    (void)sent; // if nobody is there any more, the answer will say so
    return 0;
}

static enum proxy_end take_result(struct proxy *proxy, struct result *task)
{
    struct area *results = &proxy->place->results;
    int status = 0;
    if (area_follow(results, proxy->answer.result_area) != 0) {
        status = errno == EINVAL ? 1 : -1;
    }
    status = status == 0 ? frame_unpack_result(&proxy->answer, results, task, &proxy->retriable)
                         : status;
    area_shrink(results);
    area_shrink(&proxy->place->tasks);
    if (status <= 0) {
        return status < 0 ? PROXY_BROKEN : proxy->answer.retriable ? PROXY_RETRIABLE : PROXY_DONE;
    }
    result_clear(task);
    condemn(proxy);
    find_suspect(proxy, task);
    return fail(proxy, cause_create(ERROR_CRASH, "its forked worker answered with nonsense"), true);
}

// Whatever a worker that is being killed still says, wait for its death.
static enum proxy_end see_it_die(struct proxy *proxy)
{
    while (proxy->answer.kind != ANSWER_DEAD) {
        if (!receive(proxy)) {
            return PROXY_BROKEN;
        }
    }
    proxy->ready = false;
    return PROXY_DONE;
}

// Wait for what comes of the task. PROXY_ENDED: it was not begun, and the worker is dead.
static enum proxy_end collect(struct proxy *proxy, struct result *task)
{
    if (proxy->pool->settings->timeout > 0) {
        keep_to_time(proxy);
    }
    if (!receive(proxy)) {
        return PROXY_BROKEN;
    }
    switch (proxy->answer.kind) {
    case ANSWER_RESULT:
        return take_result(proxy, task);
    case ANSWER_DEAD:
        proxy->ready = false;
        return atomic_load(&proxy->watch->begun) ? blame(proxy, task, proxy->answer.status)
                                                 : PROXY_ENDED;
    default:
        return PROXY_BROKEN;
    }
}

enum proxy_end proxy_run(struct proxy *proxy, struct result *task, struct iovec header)
{
    int64_t start = clock_now();
    enum proxy_end end;
    proxy->attempt = (struct attempt){0};
    do {
        end = proxy->ready ? PROXY_DONE : replace_worker(proxy);
        if (end == PROXY_FAILED) {
            return fail(proxy,
                        cause_create(ERROR_SPAWN, "no worker could be forked for 30 s: %s",
                                     strerror(errno)),
                        false);
        }
        if (end != PROXY_DONE) {
            break;
        }
        end = send_task(proxy, task, header) == 0 ? collect(proxy, task) : PROXY_BROKEN;
        if (proxy->condemned && proxy->ready && see_it_die(proxy) != PROXY_DONE) {
            end = PROXY_BROKEN;
        }
    } while (end == PROXY_ENDED && !atomic_load(&proxy->pool->ended));
    proxy->attempt.ns = clock_now() - start;
    bool killed = end == PROXY_FAILED || end == PROXY_BROKEN;
    return killed && atomic_load(&proxy->pool->ended) ? PROXY_ENDED : end;
}
