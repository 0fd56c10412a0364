// SPDX-License-Identifier: BSD-2-Clause
// The command line as typed: no value is looked at, nothing is opened. What it means is the
// business of settings.

#ifndef PPROC_CLI_OPTIONS_H
#define PPROC_CLI_OPTIONS_H

#include "cli/settings.h"

#include <stddef.h>

enum option_group {
    GROUP_INPUT,
    GROUP_OPERATIONS,
    GROUP_COMMAND,
    GROUP_WORKERS,
    GROUP_FAILURE,
    GROUP_OUTPUT,
    GROUP_REPORT,
    GROUP_COUNT,
};

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options.def"
    OPTION_COUNT
};

struct option_info {
    const char *shorts; // each character is a short name
    const char *name;
    const char *argument; // what --help calls it; NULL: takes none
    int has_argument;     // as in struct option of getopt_long
    enum option_group group;
    const char *help;
};

// Indexed by enum option_id.
extern const struct option_info option_table[OPTION_COUNT];

#define OPTION_TEXT_SIZE 40 // bytes, with the NUL

// An option as messages name it: `--jobs (-j)`, or `--block`, which has no short name. Returns
// `text`.
const char *option_text(enum option_id id, char text[static OPTION_TEXT_SIZE]);

struct options {
    // What was typed last for each option, "" for one without an argument; NULL: it was not given.
    // Of -k and -u, and of -0 and -d, only the last one is given; -0 is -d '\0'.
    const char *values[OPTION_COUNT];
    struct operation *operations; // -m, -v, -s, -p and --plugin, in order
    size_t operation_count;
    const char **priorities; // values of --priority, in order
    size_t priority_count;
    char **files; // operands, in order
    size_t file_count;
    const char *loose;      // the last of them that may be meant as the value of an option, or NULL
    const char *loose_from; // the name of that option
    char **command;         // the words behind "--", in order; NULL: there is no "--"
    size_t command_count;
};

// Ends early at --help and --version. The strings stay those of `argv`. Returns 0, or -1 after a
// message on standard error; `options` can be cleared in both cases.
int options_parse(struct options *options, int argc, char *argv[]);
void options_clear(struct options *options);

#endif
