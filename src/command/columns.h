// SPDX-License-Identifier: BSD-2-Clause
// Columns of a record, divided by --colsep.

#ifndef PPROC_COMMAND_COLUMNS_H
#define PPROC_COMMAND_COLUMNS_H

#include <stddef.h>
#include <sys/uio.h>

struct settings;

// How to divide: immutable, shared by all threads.
struct columns;

// The columns of one thread's current record.
struct columns_state;

// From settings->colsep, which is given. On failure says what is wrong on standard error and
// returns NULL.
struct columns *columns_create(const struct settings *settings);
void columns_destroy(struct columns *columns);

// For columns up to `last`, at least 1. NULL: no memory.
struct columns_state *columns_state_create(const struct columns *columns, size_t last);
void columns_state_destroy(struct columns_state *state);

// Divide a record, whose bytes have to stay. Returns 0, or -1: the pattern gave up, as
// columns_error() tells.
int columns_divide(const struct columns *columns, struct columns_state *state, struct iovec record);
const char *columns_error(const struct columns_state *state);

// How many were found, up to the last.
size_t columns_count(const struct columns_state *state);

// Column number `column`, from 1; one that is missing is empty.
struct iovec columns_get(const struct columns_state *state, size_t column);

#endif
