// SPDX-License-Identifier: BSD-2-Clause
// Starting a child with pipes to it, as soon as there is a place for one.

#ifndef PPROC_COMMAND_LAUNCH_H
#define PPROC_COMMAND_LAUNCH_H

#include "command/child.h"

#include <stdbool.h>

struct child_table;

// Our ends of the pipes of a child, -1 once they are closed. Writing does not block.
struct pipes {
    int input, output, error;
    int unread; // a copy of its end of `input`, which tells what it has not read; -1: none
};

#define PIPES_NONE ((struct pipes){-1, -1, -1, -1})

// What is needed to start a child.
struct launch {
    const struct child_origin *origin;
    struct child_table *table;
    struct child_stack *stack;
    int null_fd; // the null device
    bool counts; // pipes.unread is wanted
};

// Close one of them, or all; those that are closed stay so.
void pipes_shut(int *fd);
void pipes_shut_all(struct pipes *pipes);

// Start a child, in the table of children from then on. `program` says what, without descriptors:
// its standard input is a pipe if it is a filter, else the null device. Returns 0, or -1 with errno
// set (ECANCELED: all are to end). The calling thread has to live as long as the child.
int launch_child(const struct launch *launch, const struct child_program *program, bool filter,
                 struct child *child, struct pipes *pipes);

#endif
