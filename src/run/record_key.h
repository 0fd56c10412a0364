// SPDX-License-Identifier: BSD-2-Clause
// The pattern of --key: which records have the same key, for the reader.

#ifndef PPROC_RUN_RECORD_KEY_H
#define PPROC_RUN_RECORD_KEY_H

#include <stdbool.h>

struct block;
struct captures;
struct matcher;
struct plan;
struct regex;

struct record_key {
    const struct regex *regex; // NULL: there is no such pattern
    struct matcher *matcher;
    struct captures *captures; // the match and group 1
    bool told;                 // that it was given up on a record
};

// With the pattern of the plan, which lives longer. Returns 0, or -1 with errno set.
int record_key_init(struct record_key *key, const struct plan *plan);

// All zero is fine.
void record_key_destroy(struct record_key *key);

// Note which keys the records of the block have, if there is a pattern. Returns 0, or -1: no
// memory.
int record_key_note(struct record_key *key, struct block *block);

#endif
