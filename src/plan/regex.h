// SPDX-License-Identifier: BSD-2-Clause
// Regular expressions on bytes: PCRE2 with JIT, and with limits.

#ifndef PPROC_PLAN_REGEX_H
#define PPROC_PLAN_REGEX_H

#include <stdbool.h>
#include <stddef.h>

// A compiled pattern: immutable, shared by all threads.
struct regex;

// What one thread needs to match with any regex: a JIT stack, limits.
struct matcher;

enum regex_flags {
    REGEX_CASELESS = 1 << 0,
    REGEX_LITERAL = 1 << 1, // the pattern is plain text
    REGEX_LINES = 1 << 2,   // records are lines: it may be made for regex_search() too
};

// Compile `pattern`, which `option` of the command line gave. On failure says what is wrong on
// standard error, with the place in the pattern if it has one, and returns NULL.
struct regex *regex_create(const char *option, const char *pattern, unsigned flags);
void regex_destroy(struct regex *regex);

// NULL: no memory.
struct matcher *matcher_create(void);
void matcher_destroy(struct matcher *matcher);

// Does the pattern match somewhere in the bytes? 1 or 0; -1 if it was given up, as
// matcher_error() tells.
int regex_match(const struct regex *regex, struct matcher *matcher, const char *bytes, size_t len);

// May the pattern be searched in many records at once?
bool regex_searches(const struct regex *regex);

// Find the first match in a run of lines, whole ones but for a newline at the end of the last; the
// pattern may be searched so. Returns 1 with the offset of the match, which lies within one line,
// 0 if no line matches, or -1 if this cannot be told for all of them at once.
int regex_search(const struct regex *regex, struct matcher *matcher, const char *lines, size_t len,
                 size_t *offset);

// Why the last regex_match() that returned -1 did so, for a person.
const char *matcher_error(const struct matcher *matcher);

#endif
