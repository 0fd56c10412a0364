// SPDX-License-Identifier: BSD-2-Clause
// --help and --version.

#ifndef PPROC_CLI_USAGE_H
#define PPROC_CLI_USAGE_H

#include <stdio.h>

void usage_print_help(FILE *out);
void usage_print_version(FILE *out);

#endif
