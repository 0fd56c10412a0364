// SPDX-License-Identifier: BSD-2-Clause
// The threads of a run, and what they do when the core tells them to: run a task, read, write.

#ifndef PPROC_RUN_THREADS_H
#define PPROC_RUN_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct classifier;
struct command;
struct core;
struct deadletter;
struct joblog;
struct plan;
struct pool;
struct reader;
struct record_key;
struct replay;
struct settings;
struct spill;
struct writer;

// What the threads share.
struct shared {
    const struct settings *settings;
    struct plan *plan;
    struct command *command; // NULL: there is none
    struct core *core;
    struct block_pool *pool;
    struct pool *forked; // operations run in its processes; NULL: in the worker threads
    struct spill *spill;
    int stop_fd; // an eventfd: once it is readable, nobody waits for input any more

    struct reader *reader;         // whoever has the role of reading
    struct replay *replay;         // likewise: what is read are dead letters; else NULL
    struct classifier *classifier; // likewise: gives records levels; NULL: they have none
    struct record_key *key;        // likewise: gives records keys; NULL: they have none
    bool named;                    // likewise: the columns that the header names are known
    atomic_bool read_all;          // the inputs were read to their ends

    struct sink *sink;          // whoever has the role of writing
    struct writer *writer;      // likewise
    bool header_written;        // likewise
    struct deadletter *letters; // likewise; NULL: there are none
    struct joblog *joblog;      // NULL: there is none
    unsigned failures_shown;    // likewise

    atomic_bool out_of_memory;
    atomic_bool misused; // the header lacks a column that is asked for, a plugin does not open
};

// The threads that there are; main's alone.
struct threads {
    struct shared *shared;
    struct worker **workers; // settings->threads places
    unsigned worker_count;
    pthread_t reader, writer; // threaded drive only
    bool reader_runs, writer_runs;
};

// Ready to start threads; none is started. Returns 0, or -1 without memory.
int threads_init(struct threads *threads, struct shared *shared);

// Start the reader and the writer. Returns 0, or -1 with errno set.
int threads_start_roles(struct threads *threads);

// Start one more worker. Returns 0, or -1 with errno set.
int threads_start_worker(struct threads *threads);

// Wait for all threads to end; the core has to be finished.
void threads_join(struct threads *threads);

// No thread may run any more.
void threads_destroy(struct threads *threads);

// If the output is to begin with a header, and one was found, and it is not written yet: do so. For
// who has the role of writing. Returns 0, or -1: then writer_error() says why.
int shared_write_header(struct shared *shared);

// Nobody may wait for input any more.
void shared_stop_reading(struct shared *shared);

// Without memory the run ends, and says so.
void shared_end_without_memory(struct shared *shared);

#endif
