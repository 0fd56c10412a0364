// SPDX-License-Identifier: BSD-2-Clause
// Files that a run adds lines to: dead letters, the joblog.

#ifndef PPROC_OUTPUT_APPEND_H
#define PPROC_OUTPUT_APPEND_H

// Open FILE so that each write(2) goes to its end. An existing one, also through links, keeps its
// mode; a missing one is made, for its owner alone; a link to nothing is refused. A regular file
// can be read too. Says on standard error that `what`, such as "dead letters", cannot be written
// there, and why, and returns -1 on failure.
int append_open(const char *file, const char *what);

#endif
