// SPDX-License-Identifier: BSD-2-Clause
// The side of a worker thread that gives its tasks to a forked worker.

#ifndef PPROC_RUN_PROXY_H
#define PPROC_RUN_PROXY_H

#include "core/core.h"

#include <sys/uio.h>

struct pool;
struct proxy;

// For the worker of that number, from 1; its process is forked. NULL with errno set: ECANCELED if
// an operation cannot be opened, or the process dies of that, as was told.
struct proxy *proxy_create(struct pool *pool, unsigned slot);
// The process ends by itself. NULL is fine.
void proxy_destroy(struct proxy *proxy);

enum proxy_end {
    PROXY_DONE,      // the result has its output, its tally and its failures: core_done()
    PROXY_RETRIABLE, // as PLAN_RETRIABLE, with proxy_retriable()
    PROXY_FAILED,    // core_fail(), with what proxy_attempt() and proxy_cause() say
    PROXY_ENDED,     // the run ends, and the worker was killed: core_give_up()
    PROXY_BROKEN,    // no memory, or there are no workers any more (pool->lost)
};

// Run the operations on the records of the task. `header` is that of the inputs, if operations need
// it, or empty.
enum proxy_end proxy_run(struct proxy *proxy, struct result *task, struct iovec header);

// Of the last run, as its end says. Causes stay the proxy's.
const struct retriable *proxy_retriable(const struct proxy *proxy);
struct attempt proxy_attempt(const struct proxy *proxy);
struct cause *proxy_cause(const struct proxy *proxy);

#endif
