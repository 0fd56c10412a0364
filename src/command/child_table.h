// SPDX-License-Identifier: BSD-2-Clause
// The children that live, and how many may. Thread-safe.
//
// A group is signalled through the table alone, under its lock, while its leader is not reaped: so
// its id is still its own. When a child cannot be started for lack of processes, descriptors or
// memory, fewer run at a time from then on, and one more each second.

#ifndef PPROC_COMMAND_CHILD_TABLE_H
#define PPROC_COMMAND_CHILD_TABLE_H

#include <stdbool.h>

struct child;
struct child_table;

// NULL with errno set on failure.
struct child_table *child_table_create(void);
void child_table_destroy(struct child_table *table);

// --- Workers.

// Wait until a child may be started. False: none may any more, since all are to end.
bool child_table_enter(struct child_table *table);
// Having entered: the child has started. It is stopped or ended at once if all are.
void child_table_add(struct child_table *table, struct child *child);
// Having entered: no child could be started, for lack of something (errno). Waits where nothing
// else runs; then enter again. False: nothing could be started for too long a time.
bool child_table_lack(struct child_table *table);
// Having entered: no child could be started, for a reason of its own.
void child_table_leave(struct child_table *table);
// Does somebody wait for a place? Then a child that does nothing should end.
bool child_table_is_short(struct child_table *table);
// The child has ended. From now on nobody signals its group, and it can be reaped.
void child_table_remove(struct child_table *table, struct child *child);
// Something that a child left behind after success holds its output open: tell it, once.
void child_table_warn_left(struct child_table *table);
// Signal the group of a child that was added. One that is stopped goes on to receive SIGTERM.
void child_table_signal(struct child_table *table, struct child *child, int signal);

// --- Main.

// Stop all groups; none is being started when it returns, nor until the second call lets all go on.
void child_table_stop(struct child_table *table);
void child_table_continue(struct child_table *table);
// Send a signal, SIGTERM or SIGKILL, to all groups, and to those that are added from now on.
void child_table_end(struct child_table *table, int signal);
// Was that done? Safe from any thread.
bool child_table_ending(const struct child_table *table);

#endif
