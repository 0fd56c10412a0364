// SPDX-License-Identifier: BSD-2-Clause
// Substitute: matches in a record are replaced by a text.

#ifndef PPROC_PLAN_OP_SUBST_H
#define PPROC_PLAN_OP_SUBST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct captures;
struct matcher;
struct regex;
struct template;

// Immutable, shared by all threads.
struct op_subst {
    struct regex *regex;
    struct template *text;
    const char *plain; // all of the text, if it has no captures; else NULL
    size_t plain_len;
    bool global;         // all matches are replaced,
    uint64_t occurrence; // else this one, from 1
};

// `expression` is s/RE/TEXT/FLAGS, `flags` as for regex_create(). Returns 0, or -1 after a message
// on standard error; it can be destroyed in both cases.
int op_subst_init(struct op_subst *op, const char *expression, unsigned flags);
void op_subst_destroy(struct op_subst *op);

// What op_subst_find() and op_subst_append() need to keep a match. NULL: no memory.
struct captures *op_subst_captures(const struct op_subst *op);

// Find the first match that is to be replaced. Returns 1, 0 if there is none, or -1 if the pattern
// gave up, as matcher_error() tells.
int op_subst_find(const struct op_subst *op, struct matcher *matcher, struct captures *captures,
                  const char *bytes, size_t len);

enum subst_status { SUBST_DONE, SUBST_GAVE_UP, SUBST_NO_MEMORY };

// Append the bytes, with what is to be replaced replaced; op_subst_find() has found the first.
enum subst_status op_subst_append(const struct op_subst *op, struct matcher *matcher,
                                  struct captures *captures, const char *bytes, size_t len,
                                  struct buf *buf);

#endif
