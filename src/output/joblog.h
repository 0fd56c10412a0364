// SPDX-License-Identifier: BSD-2-Clause
// The joblog: a line for each attempt, with the columns of GNU parallel and two more.

#ifndef PPROC_OUTPUT_JOBLOG_H
#define PPROC_OUTPUT_JOBLOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct joblog;

// One attempt.
struct job {
    uint64_t seq;            // number of its first record, from 1
    struct timespec start;   // of the wall clock
    double seconds;          // that it ran
    uint64_t sent, received; // bytes on standard input and standard output
    int status;              // exit status; -1: its time was up, or it never ran; 0 with a signal
    int signal;              // that ended it; 0: none did
    const char *command;     // as a person would type it
    size_t command_len;      // bytes; they may be any
    unsigned attempt;        // from 1
    uint64_t records;        // that it was given
};

// Open FILE, or make it; what is in it goes, as with GNU parallel. Says what is wrong on standard
// error and returns NULL on failure.
struct joblog *joblog_open(const char *file);

// Add a line, in one write(2). Returns 0, or -1: then joblog_error() says why. Thread-safe.
int joblog_write(struct joblog *joblog, const struct job *job);

// Close the file. Returns 0, or -1: likewise.
int joblog_finish(struct joblog *joblog);

// The errno of the first failure, or 0. Thread-safe.
int joblog_error(const struct joblog *joblog);

// As given.
const char *joblog_name(const struct joblog *joblog);

// NULL is fine.
void joblog_destroy(struct joblog *joblog);

#endif
