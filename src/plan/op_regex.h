// SPDX-License-Identifier: BSD-2-Clause
// Match and exclude: a pattern decides which records are kept.

#ifndef PPROC_PLAN_OP_REGEX_H
#define PPROC_PLAN_OP_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct captures;
struct matcher;
struct operation;
struct regex;

// Immutable, shared by all threads.
struct op_regex {
    struct regex *regex;
    bool keep_matches; // else those that match are dropped
    unsigned pairs;    // of captures that a later operation uses; 0: none does
};

// `flags` as for regex_create(). Returns 0, or -1 after a message on standard error; it can be
// destroyed in both cases.
int op_regex_init(struct op_regex *op, const struct operation *operation, unsigned flags);
void op_regex_destroy(struct op_regex *op);

// Is the record kept? 1 or 0; -1 if the pattern gave up, as matcher_error() tells. What it captures
// goes to `captures`, with room for `pairs`, or nowhere (NULL).
int op_regex_keeps(const struct op_regex *op, struct matcher *matcher, struct captures *captures,
                   const char *record, size_t len);

#endif
