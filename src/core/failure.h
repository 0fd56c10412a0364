// SPDX-License-Identifier: BSD-2-Clause
// Records that failed, and why.

#ifndef PPROC_CORE_FAILURE_H
#define PPROC_CORE_FAILURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct input;

enum error {
    ERROR_EXIT,     // the command ended with a status that means failure
    ERROR_SIGNAL,   // a signal ended it
    ERROR_TIMEOUT,  // it ran for too long
    ERROR_SPAWN,    // it could not be started
    ERROR_CRASH,    // a worker process died of the record
    ERROR_REGEX,    // a pattern gave up: match limit, no memory for backtracking
    ERROR_PLUGIN,   // a plugin said so
    ERROR_TOO_LONG, // longer than --max-record
    ERROR_PROTOCOL, // the command's output is not what was agreed
};

// The name that dead letters use: "exit", "too-long".
const char *error_name(enum error error);

// Bytes that are kept of the end of what a command printed.
#define CAUSE_TAIL_BYTES 4096

// Why an attempt failed. All records of the attempt share it, and those that fail for the same
// reason without being run. Counted references; constant, once a second reference exists.
struct cause {
    atomic_uint refs;
    enum error error;
    int status;              // exit status; -1: there is none
    int signal;              // that ended the command; 0: none
    char message[256];       // what happened, for a person
    char *out, *err;         // the ends of the command's outputs, owned; NULL: there are none
    size_t out_len, err_len; // at most CAUSE_TAIL_BYTES
};

// One reference, of the caller. `format` makes the message. NULL: no memory.
__attribute__((format(printf, 2, 3))) struct cause *cause_create(enum error error,
                                                                 const char *format, ...);
// One more reference; returns `cause`.
struct cause *cause_ref(struct cause *cause);
// Give one back. NULL is fine.
void cause_unref(struct cause *cause);
// Bytes of memory that it takes.
size_t cause_bytes(const struct cause *cause);
// Same error, status and signal?
bool cause_alike(const struct cause *a, const struct cause *b);

// One record that failed, for good.
struct failure {
    struct failure *next;
    struct cause *cause; // a reference of its own
    const struct input *input;
    uint64_t nr;     // record number in the input from 1; in the task from 0 before it is settled
                     // unless it is `placed`
    bool placed;     // the place is where it was read first
    uint64_t offset; // of its first byte in the input, in decoded bytes
    char *record;    // as read, without the delimiter; NULL unless it is to be kept
    size_t record_len;
    bool truncated;       // only its beginning is there
    unsigned attempts;    // that were made
    double seconds;       // run time of the last one
    struct timespec time; // when it failed, of the wall clock
    int priority;
};

// NULL is fine.
void failure_destroy(struct failure *failure);
// The whole list. NULL is fine.
void failures_destroy(struct failure *failure);

#endif
