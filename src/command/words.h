// SPDX-License-Identifier: BSD-2-Clause
// COMMAND's words: compiled once, made into the arguments of a process for each record or batch.
//
// A placeholder becomes part of one argument whatever it contains; with --shell, a quoted word in
// the one text that the shell runs.

#ifndef PPROC_COMMAND_WORDS_H
#define PPROC_COMMAND_WORDS_H

#include "command/form.h"

#include <stddef.h>

struct buf;
struct settings;

// Immutable once the header is known, shared by all threads.
struct words;

// What one thread needs to make arguments; it keeps its memory from one call to the next.
struct words_state;

// Compile settings->command, which is not empty. On failure says what is wrong on standard error
// and returns NULL: a usage error, or no memory.
struct words *words_create(const struct settings *settings);
void words_destroy(struct words *words);

// The last line of the header, which names the columns of {NAME}: to be told before anything is
// made, if there is one. Returns 0, or -1 after a message on standard error.
int words_set_header(struct words *words, struct iovec line);

// The program: a path, or a name to be looked for in PATH; NULL: it depends on the record.
const char *words_program(const struct words *words);

// NULL: no memory.
struct words_state *words_state_create(void);
void words_state_destroy(struct words_state *state);

// Make the arguments. *used is how many of the records are among them, at least 1 if there are any:
// with -n fewer than given if the next one cannot be passed, or not together with these. If the
// status is not FILL_DONE the first record cannot be passed, and never will, but for want of
// memory.
enum fill_status words_make(const struct words *words, struct words_state *state,
                            const struct values *values, size_t *used);

// What words_make() made, ended by NULL; until the next call.
char **words_arguments(const struct words_state *state);

// What is wrong, for a person, if the status is not FILL_DONE.
const char *words_error(const struct words_state *state, enum fill_status status);

// Append what words_make() made as a line that sh would run, without a newline. 0, or -1: no
// memory.
int words_print(const struct words *words, const struct words_state *state, struct buf *buf);

// How many words there are, and append what word number `i` consists of: literal text, quoted where
// it needs it, and placeholders, divided by blanks. 0, or -1: no memory.
size_t words_count(const struct words *words);
int words_describe(const struct words *words, size_t i, struct buf *buf);

#endif
