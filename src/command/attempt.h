// SPDX-License-Identifier: BSD-2-Clause
// One attempt of COMMAND, and what a worker has for it; for the files of COMMAND alone.

#ifndef PPROC_COMMAND_ATTEMPT_H
#define PPROC_COMMAND_ATTEMPT_H

#include "base/buf.h"
#include "command/command.h"
#include "command/form.h"
#include "command/process.h"
#include "core/failure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct job;

struct command {
    const struct settings *settings;
    struct words *words;
    struct tag *tag; // NULL: output has none
    char *path;      // to the program; NULL: it depends on the record
    struct process_config process;
    struct child_origin *origin;
    struct child_table *children;
    struct joblog *joblog;
    atomic_bool told_silence; // that a process does not answer
    atomic_bool flawed;       // something is wrong that is no record's fault, and was told

    pthread_mutex_t mutex; // guards what follows; all else is constant
    struct buf header;     // of outputs; constant once it is not empty
};

struct command_state {
    struct command *command;
    const struct plan *plan;
    struct plan_state *plan_state;
    struct words_state *words;
    struct environment *environment;
    struct process *process; // NULL if nothing is run (--dry-run)
    struct tag_state *tag;   // NULL without --tag
    unsigned slot;

    // Of the last run.
    struct iovec tag_bytes; // for its output
    struct attempt attempt;
    struct cause *cause;
    size_t front;
    struct buf line; // a command as a person would type it

    const char *header; // of the inputs
    size_t header_len;
    struct iovec *input; // of the batch that runs, with the header
    size_t input_cap;
    struct buf output_header; // of the last output
};

// One attempt.
struct job_plan {
    struct values values;
    struct iovec *input; // what a filter reads, used up; NULL: nothing
    size_t input_count;
    uint64_t sent;    // bytes of these
    uint64_t records; // that it is about
    bool may_split;
    size_t header_lines; // of its output
    bool answers;        // its output has a record for each
};

// The numbers of the task's first record.
struct values attempt_values(const struct command_state *state, const struct result *result);

// Run a process for the job, whose words are made, and make its output the result's.
enum command_end attempt_run(struct command_state *state, struct result *result,
                             struct job_plan *job);

// The attempt fails before there is a process, since something cannot be passed, or told.
enum command_end attempt_refuse(struct command_state *state, const struct job_plan *job,
                                enum error error, const char *why);

// A plugin asks for another attempt of a record: it has to stand alone for that.
enum command_end attempt_retry(struct command_state *state, const struct result *result);

// What the operations left, for a process that has to answer each record: all end in the delimiter.
// `pieces` has room for one more than the output of the result. Returns how many there are; 0: a
// record holds delimiters, so that it would be taken for several.
size_t attempt_make_records(const struct command_state *state, const struct result *result,
                            struct iovec *pieces);

// The program that the words are for. NULL with errno set: there is none. *found is the caller's to
// free.
const char *attempt_find_path(const struct command_state *state, char **found);

// A line for the joblog, if there is one; the command is filled in. Returns 0, or -1: no memory, or
// as joblog_error() says.
int attempt_log(struct command_state *state, struct job *line);

// Make what the process printed the output of the result. Returns 0, or -1: no memory, or as
// spill_error() says.
int attempt_give_output(struct command_state *state, struct result *result);

#endif
