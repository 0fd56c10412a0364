// SPDX-License-Identifier: BSD-2-Clause
// Regular expressions on bytes or characters: PCRE2 with JIT, and with limits.

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
    REGEX_UTF = 1 << 3,     // it sees characters; no match contains a byte that is not UTF-8
};

// Compile `pattern`, which `option` of the command line gave. On failure says what is wrong on
// standard error, with the place in the pattern if it has one, and returns NULL.
struct regex *regex_create(const char *option, const char *pattern, unsigned flags);
void regex_destroy(struct regex *regex);

// Say on standard error what is wrong at byte `place` of a text that `option` gave.
void regex_refuse(const char *option, const char *reason, const char *text, size_t place);

// How many capture groups the pattern has.
unsigned regex_groups(const struct regex *regex);

// Puts the numbers of the groups that have this name, ascending, into numbers[], which has room for
// as many as there are groups. Returns how many.
size_t regex_groups_named(const struct regex *regex, const char *name, size_t len,
                          unsigned *numbers);

// NULL: no memory.
struct matcher *matcher_create(void);
void matcher_destroy(struct matcher *matcher);

// Does the pattern match somewhere in the bytes? 1 or 0; -1 if it was given up, as
// matcher_error() tells.
int regex_match(const struct regex *regex, struct matcher *matcher, const char *bytes, size_t len);

// Where a match and its groups lie. One thread uses it, with one regex.
struct captures {
    const size_t *offsets; // start and end of each group, in bytes of the subject of the last
                           // match; SIZE_MAX if it is unset
    void *data;            // what PCRE2 needs
};

// With room for groups 0 (the match) to `pairs` - 1. NULL: no memory.
struct captures *captures_create(unsigned pairs);
void captures_destroy(struct captures *captures);

// Find the first match that starts at byte `from` or later; with `not_empty_at_from` none that is
// empty there. The rest as for regex_match().
int regex_find(const struct regex *regex, struct matcher *matcher, struct captures *captures,
               const char *bytes, size_t len, size_t from, bool not_empty_at_from);

// Bytes that every match has and that seem to be worth looking for in these lines, as they are in
// at most half of them; NULL: there are none.
const struct literal *regex_hint(const struct regex *regex, const char *lines, size_t len);

// May the pattern be searched in many records at once?
bool regex_searches(const struct regex *regex);

// Find the first match in a run of lines, whole ones but for a newline at the end of the last; the
// pattern may be searched so. Returns 1 with the offset of the match, which lies within one line,
// 0 if no line matches, or -1 if this cannot be told for all of them at once. `captures`, unless
// NULL, gets what regex_find() gives for that line alone, as offsets in the run.
int regex_search(const struct regex *regex, struct matcher *matcher, struct captures *captures,
                 const char *lines, size_t len, size_t *offset);

// Why the last regex_match() or regex_find() that returned -1 did so, for a person.
const char *matcher_error(const struct matcher *matcher);

#endif
