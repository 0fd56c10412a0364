// SPDX-License-Identifier: BSD-2-Clause
// Files that are used twice. An input that is also written to would be read as it is written,
// without end; two outputs in one file would be mixed.

#ifndef PPROC_RUN_SAME_FILE_H
#define PPROC_RUN_SAME_FILE_H

#include <stdbool.h>

struct settings;

// Is some regular file an input and an output, or two outputs? Says so on standard error.
bool same_file_refused(const struct settings *settings);

#endif
