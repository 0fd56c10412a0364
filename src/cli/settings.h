// SPDX-License-Identifier: BSD-2-Clause
// What the run is to do: the options as typed, validated and resolved. Immutable: the rest of the
// program gets a `const struct settings *` and never sees an option.

#ifndef PPROC_CLI_SETTINGS_H
#define PPROC_CLI_SETTINGS_H

#include "base/statuses.h"
#include "command/placeholder.h"
#include "core/backoff.h"
#include "core/halt.h"
#include "core/rate.h"
#include "core/retry_on.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

enum operation_kind {
    OPERATION_MATCH,   // keep records that match
    OPERATION_EXCLUDE, // drop records that match
    OPERATION_SUBST,   // replace what matches
    OPERATION_PRINT,   // replace the record
    OPERATION_PLUGIN,  // what a shared object does
};

struct operation {
    enum operation_kind kind;
    const char *pattern; // or expression, template, or file and argument, as typed
};

enum command_mode {
    MODE_NONE,   // there is no COMMAND
    MODE_EACH,   // a process for each record
    MODE_BATCH,  // a process filters a batch of records
    MODE_COPROC, // a process answers record by record
};

// Records that match have this priority.
struct priority {
    const char *pattern; // its own
    int level;           // -100 to 100, the smaller the sooner
};

enum stats_format {
    STATS_NONE,
    STATS_TEXT,
    STATS_JSON,
};

enum letter_format {
    LETTERS_JSONL, // the record and why it failed
    LETTERS_RAW,   // the record alone
};

enum pool_kind {
    POOL_THREAD,  // operations run in the worker threads
    POOL_PROCESS, // and in forked processes
};

enum progress_mode {
    PROGRESS_AUTO, // where it disturbs nothing
    PROGRESS_ALWAYS,
    PROGRESS_NEVER,
};

struct settings {
    // Input.
    char **files;           // names in order; "-" is standard input
    size_t file_count;      // 0 only with --args, or if --files0-from gave an empty list
    const char *loose;      // one that may be meant as the value of an option, or NULL
    const char *loose_from; // the name of that option
    char *file_bytes;       // what `files` point into if it came from --files0-from; else NULL
    bool args;              // records are `operands`, there are no inputs
    char **operands;
    size_t operand_count;
    bool no_decompress; // the bytes of inputs are taken as they are

    // Records.
    char delimiter;           // ends each record, or each line of it
    size_t record_lines;      // lines of a record; 1, but for -L
    const char *record_start; // a record begins at lines that match this; NULL: see above
    size_t header_lines;      // lines of the header of each input, which are no records
    bool header_out;          // the header comes first in the output
    bool numbered;            // the reader numbers records
    uint64_t max_record;      // bytes; a longer record fails

    // Operations, in the order given.
    struct operation *operations;
    size_t operation_count;
    bool ignore_case;
    bool fixed_strings;
    bool utf;
    bool count;   // print only how many records would be emitted
    bool plugins; // some operation is a plugin

    // COMMAND.
    enum command_mode mode;
    char mode_reason[64];                   // why this mode, for a person
    char **command;                         // as typed; with `shell` it is one word
    size_t command_count;                   // 0: there is none
    bool shell;                             // /bin/sh runs it
    bool append_record;                     // the record is its last argument
    size_t max_args;                        // records that one process of each gets, at least 1
    bool many_args;                         // -n was given
    struct placeholder_syntax placeholders; // what stands for something in its words
    const char *colsep;                     // divides columns; NULL: there are none
    bool dry_run;                           // commands are printed, not run
    struct statuses ok_exit;                // exit statuses of success
    bool no_split;                          // a batch fails as one
    bool keep_failed;                       // what the last attempt printed is emitted all the same
    bool binary;                            // outputs are bytes, not records
    int64_t timeout;                        // nanoseconds that an attempt may take; 0: any number
    int64_t kill_after;                     // nanoseconds between SIGTERM and SIGKILL
    uint64_t recycle;                       // records that a process answers; 0: any number
    size_t batch_lines;                     // records of a batch; 0: as many as its cost suggests
    bool exact_blocks;                      // a batch is a block, which waits until it is full
    const char *joblog;                     // the file with a line for each attempt; NULL: none

    // Workers and queue.
    enum pool_kind pool; // see settings_forks()
    unsigned processors; // that this process may use
    unsigned jobs;       // what -j came to, at least 1
    unsigned threads;    // workers that run at once, 1..jobs
    size_t buffer_size;  // bytes: -S, raised to what the workers need
    bool buffer_raised;  // -S was less than that
    size_t block_size;   // bytes, 4 KiB to 8 MiB
    size_t queue_size;   // records that may wait; 0: no such limit
    struct rate rate;    // of starts of records; of 0 records: no such limit
    const char *tmpdir;  // for spilled results
    bool self_serve;     // workers read and write themselves; no reader and writer threads

    // Which records come first.
    struct priority *priorities; // in the order given; the first one that matches counts,
    size_t priority_count;
    const char *priority_by; // or else the number in group 1 of this pattern; NULL: 0
    const char *key;         // records with the same group 1 of this pattern come one after
                             // another, in the order of the input; NULL: none do
    unsigned key_jobs;       // at most so many of them at a time, at least 1
    bool keyed;              // records have keys, and it can be seen
    int64_t aging;           // nanoseconds after which what waits counts as one level more urgent
    bool classified;         // records have priorities, and it can be seen

    // Records that fail.
    const char *dead_letter; // the file that they are appended to; NULL: none
    enum letter_format letter_format;
    bool replay;              // inputs are dead letters, whose records are run again
    struct halt halt;         // when to end the run early
    unsigned retries;         // further attempts of a record that fails
    struct backoff backoff;   // how long it waits for them
    struct retry_on retry_on; // which failures are worth one

    // Output.
    bool ordered;
    bool ends_all;      // the last record of the output gets its delimiter too, if it lacks it
    const char *output; // the file to write to; NULL: standard output
    const char *tag;    // template of what each line begins with; NULL: of nothing
    struct placeholder_syntax tag_placeholders; // what stands for something in it

    // Seeing what happens.
    enum progress_mode progress;
    enum stats_format stats;
    bool explain;
    bool quiet;
};

// What processes put out has this part of the budget until it is known whether it counts.
#define SETTINGS_OUTPUT_PART 4

// Does each delimiter end a record? Else a record may hold some.
static inline bool settings_delimited(const struct settings *settings)
{
    return settings->record_lines <= 1 && settings->record_start == NULL && !settings->args &&
           !settings->replay;
}

// Do operations run in forked processes? With COMMAND they never do: that has processes of its own.
static inline bool settings_forks(const struct settings *settings)
{
    return settings->pool == POOL_PROCESS && settings->mode == MODE_NONE;
}

// Reads the list of --files0-from, but no input. Returns NULL after a message on standard error if
// the options make no sense: a usage error. Strings and operations stay those of `options`, which
// has to live longer.
struct settings *settings_create(const struct options *options);
void settings_destroy(struct settings *settings);

#endif
