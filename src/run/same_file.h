// SPDX-License-Identifier: BSD-2-Clause
// An input that is also the output would be read as it is written, without end.

#ifndef PPROC_RUN_SAME_FILE_H
#define PPROC_RUN_SAME_FILE_H

#include <stdbool.h>

struct settings;

// Is some input the regular file that the output is? Says so on standard error.
bool same_file_refused(const struct settings *settings);

#endif
