// SPDX-License-Identifier: BSD-2-Clause
// Forked workers (--pool=process): what they and the threads share.
//
// Operations run in processes, so that a crash costs a record and not the run. Each worker thread
// has a worker process, gives it one task after another (proxy.h), and does all else itself.
//
//     thread  --task-->  worker process          frames over a socket, bytes in shared memory
//        ^  <--result--     ^ forks, kills, reaps
//        `-------dead----- zygote                through the dead one's own end of the socket
//
// The bytes of blocks lie in memory that was mapped before the fork, so that nothing is copied for
// a task. Each worker has two areas more: for what a task needs besides, and for results.

#ifndef PPROC_RUN_POOL_H
#define PPROC_RUN_POOL_H

#include "run/area.h"
#include "run/zygote.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct plan;
struct settings;

// What a worker is doing; in shared memory. Written by the worker while it has a task, else by its
// thread.
struct watch {
    atomic_bool begun;         // the task was begun
    _Atomic uint64_t progress; // as plan_state_watch() has it
    char rest[48];             // a cache line each
};

struct place {
    struct area tasks, results;
};

struct pool {
    const struct settings *settings;
    struct plan *plan;
    struct zygote zygote;
    struct iovec blocks; // memory for blocks
    unsigned count;      // of places for workers
    struct place *places;
    struct watch *watches;
    int (*sockets)[2];
    atomic_bool ended;     // workers are killed, and none is forked any more
    atomic_bool lost;      // they cannot be had any more, as was told
    atomic_bool told_wait; // that a worker is waited for
};

// Map memory for `blocks` bytes of blocks, and fork the zygote; before the first thread. Less
// memory for blocks may be had than asked for. NULL with errno set on failure.
struct pool *pool_create(const struct settings *settings, struct plan *plan, size_t blocks);

// Kill all workers: the run ends. From any thread.
void pool_end(struct pool *pool);

// Wait until the processes have ended: they do when all proxies are destroyed, or were killed, and
// at the latest two seconds from now. No worker can be had any more.
void pool_wait(struct pool *pool);

// All proxies are destroyed. Waits likewise. NULL is fine.
void pool_destroy(struct pool *pool);

// Send a signal to all workers.
void pool_signal(struct pool *pool, int signal);

#endif
