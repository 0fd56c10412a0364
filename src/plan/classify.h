// SPDX-License-Identifier: BSD-2-Clause
// Which records come first: the rules of --priority, in order, then the number that --priority-by
// finds. What none of them matches has priority 0.
//
// The reader's thread does this once for each block, before anybody else has it. A rule searches
// the whole of what no rule before it has matched, so a few urgent records in a block cost no more
// than it takes to find them, and they and what lies between are few spans.

#ifndef PPROC_PLAN_CLASSIFY_H
#define PPROC_PLAN_CLASSIFY_H

#include <stdint.h>

struct block;
struct settings;

// The rules, compiled: immutable.
struct classes;

// On failure says what is wrong on standard error and returns NULL: a usage error, or no memory.
struct classes *classes_create(const struct settings *settings);
void classes_destroy(struct classes *classes);

// What the thread needs that applies them.
struct classifier;

// NULL: no memory.
struct classifier *classifier_create(const struct classes *classes);
void classifier_destroy(struct classifier *classifier);

// Give the block the spans of its records; they enter the queue at `now`. Returns 0, or -1: no
// memory.
int classifier_run(struct classifier *classifier, struct block *block, int64_t now);

#endif
