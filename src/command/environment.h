// SPDX-License-Identifier: BSD-2-Clause
// The environment of a child: ours, and what it may want to know of its records.
//
//   PPROC_SEQ      number of its first record in the run, from 1
//   PPROC_NR       and in its input
//   PPROC_FILE     name of that input
//   PPROC_SLOT     number of the worker, from 1
//   PPROC_ATTEMPT  from 1

#ifndef PPROC_COMMAND_ENVIRONMENT_H
#define PPROC_COMMAND_ENVIRONMENT_H

struct values;

// One worker's.
struct environment;

// NULL: no memory.
struct environment *environment_create(void);
// NULL is fine.
void environment_destroy(struct environment *environment);

// The environment for one attempt, ended by NULL; until the next call. NULL: no memory.
char *const *environment_fill(struct environment *environment, const struct values *values,
                              unsigned attempt);

#endif
