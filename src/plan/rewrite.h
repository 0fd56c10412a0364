// SPDX-License-Identifier: BSD-2-Clause
// Plans that change records: operations of all kinds, some of which substitute or print.
//
// Each operation that changes a record puts the new one into memory of its own, which stays as it
// is until the next record; so what an earlier match captured can be referred to at any time. The
// last of them writes straight to the output. A record that no operation changes is not copied.

#ifndef PPROC_PLAN_REWRITE_H
#define PPROC_PLAN_REWRITE_H

#include <stdbool.h>

struct emitter;
struct matcher;
struct result;
struct rewrite;
struct rewrite_state;
struct settings;

// Is there an operation that changes records?
bool rewrite_wanted(const struct settings *settings);

// Compile the operations; `flags` as for regex_create(). The rewrite is immutable and shared by all
// threads. NULL after a message on standard error.
struct rewrite *rewrite_create(const struct settings *settings, unsigned flags);
void rewrite_destroy(struct rewrite *rewrite);

// What one worker needs beside its matcher: captures and changed records. NULL: no memory.
struct rewrite_state *rewrite_state_create(const struct rewrite *rewrite);
void rewrite_state_destroy(struct rewrite_state *state);

// Run the operations on all records of the result's task: fills the emitter, the tally and the
// failures. Returns 0, or -1: no memory.
int rewrite_run(const struct rewrite *rewrite, struct rewrite_state *state, struct matcher *matcher,
                struct emitter *emitter, struct result *result);

#endif
