// SPDX-License-Identifier: BSD-2-Clause
// COMMAND: runs on the records that the operations of the plan let through.
//
// Its modes are files of their own (each, batch), which say what a process gets; what became of it
// is the same for all of them. Tasks for a process that lives on go through a coproc first, which
// says of which of them command_run() is to make attempts. Retries, splitting and halting are the
// core's business.

#ifndef PPROC_COMMAND_COMMAND_H
#define PPROC_COMMAND_COMMAND_H

#include "core/core.h"

#include <stdbool.h>
#include <stddef.h>

struct block_pool;
struct child_table;
struct joblog;
struct plan;
struct plan_state;
struct settings;
struct spill;
struct words;

// Shared by all threads.
struct command;

// Compile COMMAND, which is given, and look for its program. On failure says what is wrong on
// standard error, puts the exit status of the process into *status and returns NULL.
struct command *command_create(const struct settings *settings, int *status);
void command_destroy(struct command *command);

// Its words, for --explain.
const struct words *command_words(const struct command *command);

// Make ready to run it. `spill` takes output, `pool` has memory for it, `joblog` (or NULL) gets a
// line for each attempt; all have to live longer. Returns 0, or -1 with errno set.
int command_prepare(struct command *command, struct spill *spill, struct block_pool *pool,
                    struct joblog *joblog);

// The header names columns; before the first run, if the inputs have one. Returns 0, or -1 after a
// message on standard error: a usage error.
int command_name_columns(struct command *command, const char *header, size_t len);

// The children that live.
struct child_table *command_children(const struct command *command);

// Has a process failed that had answered all of its records? That was told then.
bool command_is_flawed(const struct command *command);

// What one worker needs; `slot` is its number, from 1. NULL with errno set on failure.
struct command_state;
struct command_state *command_state_create(struct command *command, const struct plan *plan,
                                           unsigned slot);
void command_state_destroy(struct command_state *state);

enum command_end {
    COMMAND_DONE,   // the result has its output and its tally: core_done()
    COMMAND_FAILED, // core_fail(), with what command_attempt() and command_cause() say
    COMMAND_PARTS,  // the first command_front() bytes of the task are to be run apart from the
                    // rest: core_cut(), and run both parts
    COMMAND_ENDED,  // the run ends, and this did: core_give_up()
    COMMAND_BROKEN, // its output could not be kept: no memory, or as spill_error() says
};

// The header of the inputs, which goes ahead of every batch; to be said before each run.
void command_set_header(struct command_state *state, const char *bytes, size_t len);

// What outputs of filters begin with, as those that succeeded so far show; *len is 0 as long as
// none does. Constant from then on.
const char *command_output_header(struct command *command, size_t *len);

// Run the operations on the records of the task, and COMMAND on those that are left.
enum command_end command_run(struct command_state *state, struct result *result);

// Of the last run that failed. The cause stays the state's.
struct attempt command_attempt(const struct command_state *state);
struct cause *command_cause(const struct command_state *state);
size_t command_front(const struct command_state *state);

// The task is dead, by the last run, or doomed with `cause`: its records fail. Returns 0, or -1: no
// memory, or as spill_error() says.
int command_fail(struct command_state *state, struct result *result, struct cause *cause);

#endif
