// SPDX-License-Identifier: BSD-2-Clause
// --explain: what a run would do.

#ifndef PPROC_CLI_EXPLAIN_H
#define PPROC_CLI_EXPLAIN_H

#include <stdio.h>

struct plan;
struct settings;
struct words;

// One "name: value" a line; control bytes in names and patterns are shown as \xHH. `words` are
// those of COMMAND, NULL without one; without `plan` there is nothing of what plugins say.
void explain_print(FILE *out, const struct settings *settings, const struct plan *plan,
                   const struct words *words);

#endif
