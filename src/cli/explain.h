// SPDX-License-Identifier: BSD-2-Clause
// --explain: what a run would do.

#ifndef PPROC_CLI_EXPLAIN_H
#define PPROC_CLI_EXPLAIN_H

#include <stdio.h>

struct settings;

// One "name: value" a line; control bytes in names and patterns are shown as \xHH.
void explain_print(FILE *out, const struct settings *settings);

#endif
