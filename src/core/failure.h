// SPDX-License-Identifier: BSD-2-Clause
// Why a record failed.

#ifndef PPROC_CORE_FAILURE_H
#define PPROC_CORE_FAILURE_H

#include <stddef.h>
#include <stdint.h>

struct input;

enum error {
    ERROR_REGEX,    // a pattern gave up: match limit, no memory for backtracking
    ERROR_TOO_LONG, // longer than --max-record
};

// One record that failed, for good.
struct failure {
    struct failure *next;
    enum error error;
    const struct input *input;
    uint64_t nr; // record number in the input from 1; before it is settled, in the task from 0
    char message[160]; // what happened, for a person
};

// The name that dead letters use: "regex", "too-long".
const char *error_name(enum error error);

#endif
