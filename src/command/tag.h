// SPDX-License-Identifier: BSD-2-Clause
// --tag: what each line of the output begins with.

#ifndef PPROC_COMMAND_TAG_H
#define PPROC_COMMAND_TAG_H

#include "command/form.h"

struct buf;
struct settings;

// Immutable once the header is known, shared by all threads.
struct tag;

// What one thread needs to make tags.
struct tag_state;

// From settings->tag, which is given. On failure says what is wrong on standard error and returns
// NULL: a usage error, or no memory.
struct tag *tag_create(const struct settings *settings);
void tag_destroy(struct tag *tag);

// As words_set_header().
int tag_set_header(struct tag *tag, struct iovec line);

// NULL: no memory.
struct tag_state *tag_state_create(void);
void tag_state_destroy(struct tag_state *state);

// Make the tag: *bytes is it, until the next call; a newline in it is written as \n. If the status
// is not FILL_DONE it is FILL_GAVE_UP, as tag_error() tells, or FILL_NO_MEMORY.
enum fill_status tag_make(const struct tag *tag, struct tag_state *state,
                          const struct values *values, struct iovec *bytes);
const char *tag_error(const struct tag_state *state);

#endif
