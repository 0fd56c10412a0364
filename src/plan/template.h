// SPDX-License-Identifier: BSD-2-Clause
// The text that a match is replaced by: literal bytes and captures.
//
//   $1 ${1} ${name} \1   what a group captured, nothing if it is unset; $0 is the whole match.
//                        All digits after $ are the number, only one after \.
//   \n \t \\ \$          newline, tab, backslash, dollar; a backslash before any other character
//                        that is no letter is that character.

#ifndef PPROC_PLAN_TEMPLATE_H
#define PPROC_PLAN_TEMPLATE_H

#include <stddef.h>

struct buf;
struct regex;

// Immutable, shared by all threads.
struct template;

// Compile `text`, which `option` gave, for the captures of `regex`; without one (NULL) there is $0
// alone. On failure says what is wrong on standard error, with the place, and returns NULL.
struct template *template_create(const char *option, const char *text, const struct regex *regex);
void template_destroy(struct template *template);

// How many pairs of offsets template_append() needs: the highest group of the template and 1.
unsigned template_pairs(const struct template *template);

// The text, if it has no captures, and its length; at least BUF_FEW bytes can be read. NULL: it
// has.
const char *template_text(const struct template *template, size_t *len);

// Append the template, with the captures that `offsets` (start and end of each group) tells of in
// `subject`. Returns 0, or -1: no memory.
int template_append(const struct template *template, const char *subject, const size_t *offsets,
                    struct buf *buf);

#endif
