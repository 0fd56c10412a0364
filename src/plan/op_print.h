// SPDX-License-Identifier: BSD-2-Clause
// Print: the record is replaced by a text.

#ifndef PPROC_PLAN_OP_PRINT_H
#define PPROC_PLAN_OP_PRINT_H

#include <stdbool.h>

struct op_regex;
struct template;

// Immutable, shared by all threads.
struct op_print {
    struct template *template;
    bool of_match; // it has the captures of a match; else $0 alone, the record
};

// `match` is the last match before it, which is told what it has to capture, or NULL. Returns 0, or
// -1 after a message on standard error; it can be destroyed in both cases.
int op_print_init(struct op_print *op, const char *text, struct op_regex *match);
void op_print_destroy(struct op_print *op);

#endif
