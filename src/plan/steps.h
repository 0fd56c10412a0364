// SPDX-License-Identifier: BSD-2-Clause
// The list of operations, and the way of one record through it.
//
// An operation that changes the record puts the new one into memory that holds neither the record
// as it was nor what the captures of a match refer to, so nothing is copied for these. The last of
// them writes straight to the output. A record that no operation changes is not copied.
//
// A plugin makes any number of records of one. Each goes through the operations behind the plugin
// while the plugin waits, so none of them is kept anywhere but in the output.

#ifndef PPROC_PLAN_STEPS_H
#define PPROC_PLAN_STEPS_H

#include "cli/settings.h"
#include "plan/op_plugin.h"
#include "plan/op_print.h"
#include "plan/op_regex.h"
#include "plan/op_subst.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cause;
struct emitter;
struct record;
struct records;

struct step {
    enum operation_kind kind;
    union {
        struct op_regex regex; // match and exclude
        struct op_subst subst;
        struct op_print print;
        struct op_plugin plugin;
    };
};

// Immutable, shared by all threads.
struct steps {
    const struct regex *head;       // pattern of the first one, NULL if it has none
    const struct step *last_change; // the last one that changes records
    const struct step *last_plugin; // NULL: there is none
    size_t plugins;                 // how many there are
    char delimiter;                 // between what plugins make of one record
    size_t count;
    struct step list[]; // in the order given
};

// Compile the operations. On failure says what is wrong on standard error and returns NULL.
struct steps *steps_create(const struct settings *settings);
void steps_destroy(struct steps *steps);

// What one worker needs: match data, captures, changed records, states of plugins. `emitter` takes
// the records that were changed and has to live longer; `slot` is the worker's number, from 1. NULL
// with errno set: ENOMEM, or ECANCELED after a message: a plugin cannot be opened.
struct steps_state;
struct steps_state *steps_state_create(const struct steps *steps, struct emitter *emitter,
                                       unsigned slot);
void steps_state_destroy(struct steps_state *state);

// The records that follow are run for the so many-th time, from 1.
void steps_set_attempt(struct steps_state *state, unsigned attempt);

// What the operations make of a record.
enum verdict {
    RECORD_KEPT,    // as it was
    RECORD_CHANGED, // and stands at the end of the emitter's own bytes, not yet committed
    RECORD_DROPPED,
    RECORD_FAILED,    // steps_cause() says why
    RECORD_RETRIABLE, // likewise, and another attempt may help
    RECORD_NO_MEMORY, // nothing is sure: the task cannot be finished
};

// Take a record through the operations from number `first` on.
enum verdict steps_run(struct steps_state *state, size_t first, const char *record, size_t len);

// Is the last operation a plugin, and number `i` that operation?
bool steps_is_last_plugin(const struct steps *steps, size_t i);

// Take the records up to `to` through it alone, and emit them, as long as each comes out as it
// came: *count is how many these are. RECORD_KEPT: all of them; else what became of *record, which
// is the next one. *progress tells of each before it is run.
enum verdict steps_keep(struct steps_state *state, struct records *records, const char *to,
                        _Atomic uint64_t *progress, uint64_t *count, struct record *record);

// Why the last record failed. NULL: no memory.
struct cause *steps_cause(const struct steps_state *state);

// Where the last record, if it was changed, is to be taken apart: it is several, with a delimiter
// between two at each of these `count` places, in bytes behind its beginning.
const size_t *steps_cuts(const struct steps_state *state, size_t *count);

// Search a run of lines for the first match of the first operation, as regex_search() does. If that
// is a match operation, the record of the match has passed it and goes on at number 1.
int steps_search(const struct steps *steps, struct steps_state *state, const char *lines,
                 size_t len, size_t *offset);

// A task is done: give back memory that a record of extraordinary length needed.
void steps_rest(struct steps_state *state);

#endif
