// SPDX-License-Identifier: BSD-2-Clause
// What is inside of a plan and of a worker's state for it; for the plan's own files alone.

#ifndef PPROC_PLAN_PLAN_STATE_H
#define PPROC_PLAN_PLAN_STATE_H

#include "core/result.h"
#include "plan/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct classes;
struct regex;
struct steps;
struct steps_state;
struct tag;
struct tag_state;

struct plan {
    uint64_t max_record;        // bytes
    char delimiter;             // ends lines
    bool count_only;            // nothing is written but how many records would be
    unsigned retries;           // further attempts that a plugin may ask for
    struct regex *record_start; // NULL: records do not begin at lines that match
    struct regex *key;          // NULL: records have no keys
    struct classes *classes;    // NULL: records have no priorities
    struct steps *steps;
    struct tag *tag; // begins each line of the output; NULL: nothing does, or COMMAND makes it
    bool tags_apart; // the output is for COMMAND, and that of COMMAND gets the tags
};

struct plan_state {
    struct emitter emitter;
    struct steps_state *steps;
    struct tag_state *tag; // NULL without tags
    struct buf changed;    // a record that was changed, while its lines are tagged
    struct buf tags;       // that are apart, of the last run
    unsigned slot;
    _Atomic uint64_t *progress, unwatched; // plan_state_watch(); or nobody looks at it
    struct survivors survivors;            // of the last plan_list()
    size_t survivors_cap;
    struct retriable retriable; // of the last run that met one
};

#endif
