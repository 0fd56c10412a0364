// SPDX-License-Identifier: BSD-2-Clause
// The list of operations, and the way of one record through it.
//
// An operation that changes the record puts the new one into memory that holds neither the record
// as it was nor what the captures of a match refer to, so nothing is copied for these. The last of
// them writes straight to the output. A record that no operation changes is not copied.

#ifndef PPROC_PLAN_STEPS_H
#define PPROC_PLAN_STEPS_H

#include "cli/settings.h"
#include "plan/op_print.h"
#include "plan/op_regex.h"
#include "plan/op_subst.h"

#include <stddef.h>

struct emitter;

struct step {
    enum operation_kind kind;
    union {
        struct op_regex regex; // match and exclude
        struct op_subst subst;
        struct op_print print;
    };
};

// Immutable, shared by all threads.
struct steps {
    const struct regex *head;       // pattern of the first one, NULL if it has none
    const struct step *last_change; // the last one that changes records
    size_t count;
    struct step list[]; // in the order given
};

// Compile the operations. On failure says what is wrong on standard error and returns NULL.
struct steps *steps_create(const struct settings *settings);
void steps_destroy(struct steps *steps);

// What one worker needs: match data, captures, changed records. `emitter` takes the records that
// were changed and has to live longer. NULL: no memory.
struct steps_state;
struct steps_state *steps_state_create(const struct steps *steps, struct emitter *emitter);
void steps_state_destroy(struct steps_state *state);

// What the operations make of a record.
enum verdict {
    RECORD_KEPT,    // as it was
    RECORD_CHANGED, // and stands at the end of the emitter's own bytes, not yet committed
    RECORD_DROPPED,
    RECORD_FAILED,    // steps_error() says why
    RECORD_NO_MEMORY, // nothing is sure: the task cannot be finished
};

// Take a record through the operations from number `first` on.
enum verdict steps_run(const struct steps *steps, struct steps_state *state, size_t first,
                       const char *record, size_t len);
const char *steps_error(const struct steps_state *state);

// Search a run of lines for the first match of the first operation, as regex_search() does. If that
// is a match operation, the record of the match has passed it and goes on at number 1.
int steps_search(const struct steps *steps, struct steps_state *state, const char *lines,
                 size_t len, size_t *offset);

// A task is done: give back memory that a record of extraordinary length needed.
void steps_rest(struct steps_state *state);

#endif
