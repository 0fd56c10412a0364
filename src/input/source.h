// SPDX-License-Identifier: BSD-2-Clause
// The source: opens one input after another and gives its bytes, decoded.

#ifndef PPROC_INPUT_SOURCE_H
#define PPROC_INPUT_SOURCE_H

#include "input/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct input;
struct settings;
struct source;

// The files of `settings`, none opened yet. NULL: no memory. One thread at a time.
struct source *source_create(const struct settings *settings, int stop_fd);
void source_destroy(struct source *source);

// Go on to the next input. False: there are no more. That one cannot be opened is told when it is
// read. An archive is an input without bytes, which its members follow; what is wrong with it as
// such is told when it is read, before the first member, and again between them and behind the
// last.
bool source_next(struct source *source);

// The current input; lives as long as the source.
const struct input *source_input(const struct source *source);

// Read up to `room` bytes of the current input, and say in *count how many. May wait until there
// is something, if asked to; the first read of an input must be. After END, EXTRA and DAMAGED the
// input gives nothing but that.
enum source_status source_read(struct source *source, char *bytes, size_t room, bool may_wait,
                               size_t *count);

// If the input is all that a regular file holds, as it is: the bytes that this had behind byte
// `offset` of the input when it was opened. Else 0.
uint64_t source_left(const struct source *source, uint64_t offset);

// A descriptor of the file of such an input, the caller's; *place is where in it byte `offset` of
// the input is. -1 with errno set on failure.
int source_share(const struct source *source, uint64_t offset, off_t *place);

// Such an input goes on at byte `offset`; the bytes before it were read by others. Returns 0, or -1
// with errno set.
int source_skip(struct source *source, uint64_t offset);

// Bytes read so far, of all inputs, as they are stored. Safe from any thread.
uint64_t source_fetched(const struct source *source);

// What is wrong, after EXTRA and DAMAGED: a phrase to follow the name of the input.
const char *source_problem(const struct source *source);

// Wait until a read of the current input would not have to wait. False: `fd` or the stop descriptor
// became readable first.
bool source_wait(const struct source *source, int fd);

#endif
