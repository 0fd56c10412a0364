// SPDX-License-Identifier: BSD-2-Clause
// Names of files.

#ifndef PPROC_BASE_PATH_H
#define PPROC_BASE_PATH_H

#include <stdbool.h>

// `name` in the directory of `path`; freed by the caller. NULL: no memory.
char *path_sibling(const char *path, const char *name);

// What the file is in the end, links followed, existing or not; freed by the caller. NULL with
// errno set on failure.
char *path_follow(const char *file);

// Is it a regular file?
bool path_is_file(const char *path);

#endif
