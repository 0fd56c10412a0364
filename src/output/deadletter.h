// SPDX-License-Identifier: BSD-2-Clause
// The dead-letter file: records that failed, to be looked at, mended and run again.

#ifndef PPROC_OUTPUT_DEADLETTER_H
#define PPROC_OUTPUT_DEADLETTER_H

#include "cli/settings.h"
#include "core/failure.h"

#include <stdbool.h>

struct deadletter;

// Open FILE for appending, and end its last record if it is torn. `delimiter` ends the records of
// the format raw. Says what is wrong on standard error and returns NULL on failure.
struct deadletter *deadletter_open(const char *file, enum letter_format format, char delimiter);

// Is there a letter for this failure? Not after an error; and the format raw has none for a record
// of which only the beginning is there: fed again, it would be another record.
bool deadletter_takes(const struct deadletter *letters, const struct failure *failure);

// Write a letter; one of up to 1 MiB is one write(2). Returns 0, or -1: then deadletter_error()
// says why. Thread-safe.
int deadletter_write(struct deadletter *letters, const struct failure *failure);

// Is some thread in deadletter_write(), so that another one would have to wait?
bool deadletter_is_stuck(struct deadletter *letters);

// Close the file. Returns 0, or -1: likewise.
int deadletter_finish(struct deadletter *letters);

// The errno of the first failure, or 0.
int deadletter_error(const struct deadletter *letters);

// As given.
const char *deadletter_name(const struct deadletter *letters);

// NULL is fine.
void deadletter_destroy(struct deadletter *letters);

#endif
