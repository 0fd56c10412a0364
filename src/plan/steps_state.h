// SPDX-License-Identifier: BSD-2-Clause
// What a worker has for the list of operations; for the files of the list alone.

#ifndef PPROC_PLAN_STEPS_STATE_H
#define PPROC_PLAN_STEPS_STATE_H

#include "base/buf.h"
#include "plan/steps.h"

#include <stdbool.h>
#include <stddef.h>

struct captures;
struct matcher;

// The record as it is, what the captures refer to, and the record to be.
#define BUFS 3

// A record on its way.
struct way {
    const char *bytes;
    size_t len;
    bool written;           // it is the last of the emitter's own bytes
    struct captures *match; // of the last match whose captures are used,
    const char *subject;    // and what they refer to
    struct buf *bufs;       // BUFS records that were made since the last plugin
};

// What a plugin is called with puts out here.
struct outlet {
    struct pproc_output output; // first: the plugin knows no more
    struct steps_state *state;
    size_t next;    // number of the operation behind the plugin
    bool saved;     // the state's way has become that of what was put out,
    struct way way; // and this was it: later operations may use its captures
};

// What a worker has for one operation.
struct step_state {
    struct captures *captures; // NULL where none are needed
    bool open;                 // it is a plugin, with this state
    void *plugin;
    struct outlet outlet; // likewise
};

struct steps_state {
    const struct steps *steps;
    struct matcher *matcher; // NULL without operations
    struct emitter *emitter;
    struct buf *bufs; // BUFS, and as many behind each plugin, which waits with its own record
    size_t buf_count;
    struct way way;
    unsigned attempt;

    // What plugins make of one record.
    const char *record; // as it came
    size_t record_len;
    size_t outputs;       // how many records were put out; each but the last ends at a cut,
    bool as_it_came;      // but nothing was written: the only one is the record itself
    struct buf cuts;      // places among its uncommitted bytes, size_t
    enum verdict trouble; // that ended it, or RECORD_KEPT

    const struct op_plugin *failed;      // the plugin that did; NULL: a pattern
    char error[PPROC_PLUGIN_ERROR_SIZE]; // its reason

    size_t count;
    struct step_state list[]; // of each operation
};

// What each plugin calls, with its outlet.
int steps_emit(struct pproc_output *output, const char *bytes, size_t len);

#endif
