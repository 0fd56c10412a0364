// SPDX-License-Identifier: BSD-2-Clause
// A child that lives on: records go to its standard input and replies come from its standard
// output, as long as both sides want.
//
// Each worker has a dialog, for child after child, and is the one to use it. It knows bytes; what
// they mean is up to coproc.c.

#ifndef PPROC_COMMAND_DIALOG_H
#define PPROC_COMMAND_DIALOG_H

#include "command/child_watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct dialog;

// `config` has to live longer. `call_fd` is an eventfd by which others end dialog_wait(). NULL with
// errno set on failure.
struct dialog *dialog_create(const struct process_config *config, int call_fd);
// There must be no child. NULL is fine.
void dialog_destroy(struct dialog *dialog);

// Start a child; there is none. `program` says what, without descriptors. Returns 0, or -1 with
// errno set (ECANCELED: all are to end).
int dialog_start(struct dialog *dialog, const struct child_program *program);
// Is there a child?
bool dialog_lives(const struct dialog *dialog);

// What dialog_wait() has found.
enum {
    DIALOG_CALLED = 1,  // the eventfd was written to, and is reset
    DIALOG_TAKES = 2,   // the child takes bytes, or never will again
    DIALOG_REPLIES = 4, // dialog_read() gives something, or tells the end
    DIALOG_OVER = 8, // the child has ended, and all that it wrote is read, or what is left of its
                     // output is held open for too long: dialog_end(), after dialog_read()
};

// Wait until there is something, or the time comes (INT64_MAX: never); DIALOG_TAKES only if asked
// for. Does what is due: signals, and lines of standard error.
unsigned dialog_wait(struct dialog *dialog, bool has_bytes, int64_t until);

// Write to the child what it takes at once. Returns the number of bytes; 0: nothing at the moment,
// or never again, as dialog_is_open() tells.
size_t dialog_write(struct dialog *dialog, const struct iovec *iov, size_t count);
// Can it be written to?
bool dialog_is_open(const struct dialog *dialog);
// Nothing more will be written.
void dialog_close(struct dialog *dialog);
// Bytes that were written to the child, and those of them that it has read.
uint64_t dialog_written(const struct dialog *dialog);
uint64_t dialog_consumed(const struct dialog *dialog);

// After DIALOG_REPLIES: read what the child wrote, up to `size` bytes. Returns how many, 0 at the
// end or if there is nothing.
size_t dialog_read(struct dialog *dialog, char *bytes, size_t size);
// Was the output of the child, or of the last one, read to its end?
bool dialog_is_whole(const struct dialog *dialog);

// The child times out at that time; INT64_MAX: never.
void dialog_limit(struct dialog *dialog, int64_t at);
// It is of no use any more.
void dialog_kill(struct dialog *dialog);
// The child has ended: how. There is none any more. Not PROCESS_NOT_STARTED.
enum process_end dialog_end(struct dialog *dialog);
// Of the last child: its exit status, or -1, and the signal that it died of, or 0.
int dialog_status(const struct dialog *dialog);
int dialog_signal(const struct dialog *dialog);

#endif
