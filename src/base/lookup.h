// SPDX-License-Identifier: BSD-2-Clause
// Finding of programs, as execvp() does it, but once and not for each process.

#ifndef PPROC_BASE_LOOKUP_H
#define PPROC_BASE_LOOKUP_H

// The path of the program: `name` itself if it has a slash, else what PATH says. To be freed. NULL
// with errno set: ENOENT if there is none, EACCES or EISDIR if it is none that may be run, ENOMEM.
char *lookup_program(const char *name);

#endif
