// SPDX-License-Identifier: BSD-2-Clause
// The list of names that --files0-from gives.

#ifndef PPROC_CLI_FILES0_H
#define PPROC_CLI_FILES0_H

#include <stddef.h>

// Read the names from the file `from`, each ended by a NUL but perhaps the last; "-" is standard
// input. *names are *count pointers into *bytes. Returns 0, or -1 after a message on standard
// error; both are the caller's to free in any case.
int files0_read(const char *from, char **bytes, char ***names, size_t *count);

#endif
