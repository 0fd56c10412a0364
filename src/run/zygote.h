// SPDX-License-Identifier: BSD-2-Clause
// The process that forks workers, and other ones when these die. It has but one thread, so what it
// forks is whole; it is itself forked before there is a second one.
//
// It does what it is told over a socket. Of a worker that could not be forked, or has died, it
// tells whoever waits for that worker's answers, through the worker's own end of their socket.

#ifndef PPROC_RUN_ZYGOTE_H
#define PPROC_RUN_ZYGOTE_H

#include <sys/types.h>

struct zygote_config {
    unsigned count; // of places for workers

    // In the worker that was forked for a place: do its work. `socket` is its end.
    void (*work)(void *arg, unsigned place, unsigned generation, int socket);
    void *arg;

    // Pairs of sockets, a pair for each place: [0] is for who waits for answers, [1] for workers.
    int (*sockets)[2];
};

struct zygote {
    pid_t pid;
    int socket; // what it is told goes here
};

// Fork it. No other thread may run. All of the workers' ends of sockets are closed here then.
// Returns 0, or -1 with errno set.
int zygote_fork(struct zygote *zygote, const struct zygote_config *config);

// Tell it to fork a worker. Whoever waits for its answers is told if it cannot.
void zygote_start(const struct zygote *zygote, unsigned place, unsigned generation);

// To kill a worker, if it still lives.
void zygote_kill(const struct zygote *zygote, unsigned place, unsigned generation);

// To send a signal to all workers.
void zygote_signal(const struct zygote *zygote, int signal);

// To kill all workers, and fork none any more.
void zygote_end(const struct zygote *zygote);

// Wait for its end, and that of its workers: they end when their sockets are closed, or are killed
// two seconds later.
void zygote_reap(struct zygote *zygote);

#endif
