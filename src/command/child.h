// SPDX-License-Identifier: BSD-2-Clause
// A child process: its start, and what became of it.
//
// It is started by clone(CLONE_VM | CLONE_VFORK), as vfork() does it: nothing is copied, however
// large we are, and the calling thread goes on once the child has become its program. It has a
// session of its own, default signal handling, an empty mask, descriptors 0, 1 and 2 and those that
// we inherited ourselves, and it dies when the thread that started it does.

#ifndef PPROC_COMMAND_CHILD_H
#define PPROC_COMMAND_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

// Descriptors from `first` to `last`.
struct child_range {
    unsigned first, last;
};

// What this process was started with, and gives to its children. Constant.
struct child_origin {
    pid_t pid;                 // of this process
    sigset_t ignored;          // signals that are to be ignored no more
    struct rlimit files;       // limit of open descriptors
    struct child_range own[4]; // descriptors that are ours alone: most of them
    size_t own_count;          // ranges
    int aside;                 // where ours are put if there are many; 0: there are few
};

struct child {
    pid_t pid; // and the id of its process group and of its session
    int pidfd; // readable once it has ended

    struct child *prev, *next; // in the child_table
};

// What a child runs.
struct child_program {
    const char *path;         // to the file, not searched for
    char *const *argv;        // ends in NULL
    char *const *envp;        // likewise
    int input, output, error; // become descriptors 0, 1 and 2; none of them is one of these
};

// Look at this process, and allow it as many descriptors as it may have: children take some each.
// So many children may live at once.
void child_origin_init(struct child_origin *origin, unsigned children);

// Put a descriptor that stays open while children live, and is not theirs, where it costs them
// nothing. Returns its new number, or the old one.
int child_put_aside(const struct child_origin *origin, int fd);

// Memory for the start of one child at a time. NULL with errno set on failure.
struct child_stack;
struct child_stack *child_stack_create(void);
void child_stack_destroy(struct child_stack *stack);

// Returns 0, or -1 with errno set, also if it could not become the program. The calling thread has
// to live as long as the child.
int child_start(struct child *child, struct child_stack *stack, const struct child_origin *origin,
                const struct child_program *program);

// How it ended: an exit status (0..255), or minus the signal that it died of. The child has ended,
// and is not reaped yet.
int child_status(const struct child *child);

// The last that happens to a child that has ended: its id may be another's from now on.
void child_reap(struct child *child);

#endif
