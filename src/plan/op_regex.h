// SPDX-License-Identifier: BSD-2-Clause
// Match and exclude: a pattern decides which records are kept.

#ifndef PPROC_PLAN_OP_REGEX_H
#define PPROC_PLAN_OP_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct matcher;
struct operation;
struct regex;
struct result;

// What an operation makes of a record.
enum verdict {
    RECORD_KEPT,
    RECORD_DROPPED,
    RECORD_FAILED, // matcher_error() says why
};

// Immutable, shared by all threads.
struct op_regex {
    struct regex *regex;
    bool keep_matches; // else those that match are dropped
};

// `flags` as for regex_create(). Returns 0, or -1 after a message on standard error.
int op_regex_init(struct op_regex *op, const struct operation *operation, unsigned flags);
void op_regex_destroy(struct op_regex *op);

enum verdict op_regex_run(const struct op_regex *op, struct matcher *matcher, const char *record,
                          size_t len);

// The matcher gave up on a record of `result`, the next one to be counted: it has failed. Returns
// 0, or -1: no memory.
int op_regex_fail(const struct matcher *matcher, struct result *result, const char *record,
                  size_t len);

#endif
