// SPDX-License-Identifier: BSD-2-Clause
// --help and --version.

#include "cli/usage.h"

#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>

// Bytes before the explanation of an option.
#define COLUMN 29

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_INPUT] = "Input",
    [GROUP_OPERATIONS] = "Operations on records, in the order given (PCRE2)",
    [GROUP_COMMAND] = "COMMAND",
    [GROUP_WORKERS] = "Workers and queue",
    [GROUP_FAILURE] = "Records that fail",
    [GROUP_OUTPUT] = "Output",
    [GROUP_REPORT] = "Seeing what happens",
};

static void print_option(FILE *out, const struct option_info *info)
{
    int used = fprintf(out, "  ");
    for (const char *name = info->shorts; *name != '\0'; name++) {
        used += fprintf(out, "-%c, ", *name);
    }
    if (*info->shorts == '\0') {
        used += fprintf(out, "    ");
    }
    used += fprintf(out, "--%s", info->name);
    if (info->has_argument == required_argument) {
        used += fprintf(out, "=%s", info->argument);
    } else if (info->has_argument == optional_argument) {
        used += fprintf(out, "[=%s]", info->argument);
    }
    if (used >= COLUMN) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s%s\n", COLUMN - used, "", info->help);
}

void usage_print_help(FILE *out)
{
    fputs("Usage: pproc [OPTION]... [FILE]... [-- COMMAND [ARG]...]\n"
          "Stream the records of FILEs (none, or -: standard input) through a pool of\n"
          "workers: all of them or those that match, as they are, changed, or through\n"
          "processes of COMMAND. Compressed inputs are decompressed.\n",
          out);
    for (enum option_group group = 0; group < GROUP_COUNT; group++) {
        fprintf(out, "\n%s:\n", group_titles[group]);
        for (size_t id = 0; id < OPTION_COUNT; id++) {
            if (option_table[id].group == group) {
                print_option(out, &option_table[id]);
            }
        }
    }
    fputs("\n"
          "SIZE is 64K, 1M, 2G (powers of 1024) or 5KB, 5MB (of 1000), DUR 500ms, 2s, 1.5m\n"
          "or 1h; a LIST is divided by commas.\n"
          "Exit status: 0 all processed, 1 records failed, 2 usage, 3 an input could not be\n"
          "read whole, 4 output could not be written, 5 stopped early, 126 and 127 COMMAND\n"
          "cannot be run, was not found.\n"
          "The manual, pproc(1), tells the rest.\n",
          out);
}

void usage_print_version(FILE *out)
{
    fputs("pproc " PACKAGE_VERSION "\n"
          "License: BSD-2-Clause. Free software, without any warranty.\n",
          out);
}
