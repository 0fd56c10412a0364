// SPDX-License-Identifier: BSD-2-Clause
// The plan: the operations that every record goes through. Compiled once, then immutable and
// shared.

#ifndef PPROC_PLAN_PLAN_H
#define PPROC_PLAN_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct cause;
struct classes;
struct plan;
struct plan_state;
struct pproc_plugin;
struct regex;
struct result;
struct settings;

// Compile the operations of `settings`. On failure says what is wrong on standard error (a pattern
// with a caret under the place) and returns NULL: a usage error, or no memory.
struct plan *plan_create(const struct settings *settings);
void plan_destroy(struct plan *plan);

// The pattern of the lines at which records begin; NULL: they do not begin at such lines.
const struct regex *plan_record_start(const struct plan *plan);

// The pattern of the keys of records; NULL: they have none.
const struct regex *plan_key(const struct plan *plan);

// What records have priorities by; NULL: they have none.
const struct classes *plan_classes(const struct plan *plan);

// The header names columns; before the first run, if the inputs have one. Returns 0, or -1 after a
// message on standard error: a usage error.
int plan_name_columns(struct plan *plan, const char *header, size_t len);

// The plugin that operation `i` (from 0) is; NULL: it is none.
const struct pproc_plugin *plan_plugin(const struct plan *plan, size_t i);

// What one worker needs to run the plan: match data, JIT stack, states of plugins. `slot` is its
// number, from 1. NULL with errno set: ENOMEM, or ECANCELED after a message on standard error: a
// plugin cannot be opened. To be used by one thread at a time.
struct plan_state *plan_state_create(const struct plan *plan, unsigned slot);
void plan_state_destroy(struct plan_state *state);

// From now on *progress says which record is run: 1 and the byte of the task where it begins; 0 as
// long as none is. Whoever begins a task sets it to 0.
void plan_state_watch(struct plan_state *state, _Atomic uint64_t *progress);

// A record for which a plugin asked for another attempt, while its task may have one.
struct retriable {
    size_t off, len;     // its bytes in the task, the delimiter included
    struct cause *cause; // why it failed
};

// Run the plan on the records of result->task; fills the output, the tally and the failures.
// Knows nothing of queues, threads and order. `state` is not used for a block that is the head of a
// record that is too long. Returns 0, or -1: no memory, or PLAN_RETRIABLE: the result is that of
// the records before the one of plan_retriable(), and none was run behind it.
#define PLAN_RETRIABLE 1
int plan_run(const struct plan *plan, struct plan_state *state, struct result *result);

// Records that the operations let through, one by one.
struct survivors {
    struct iovec *records; // as the operations left them, without delimiters
    const char **begins;   // where each begins in the bytes of the task
    size_t count;
};

// Run the plan likewise, but make no output: *survivors tells what it would be, until the state is
// used again. If it returns PLAN_RETRIABLE, there is no list.
int plan_list(const struct plan *plan, struct plan_state *state, struct result *result,
              struct survivors *survivors);

// Run the plan likewise, but records that the operations let through fail with `cause`.
int plan_fail(const struct plan *plan, struct plan_state *state, struct result *result,
              struct cause *cause);

// Until the state is used again.
const struct retriable *plan_retriable(const struct plan_state *state);

#endif
