// SPDX-License-Identifier: BSD-2-Clause
// What the files that make the settings have in common; for them alone.

#ifndef PPROC_CLI_SETTINGS_PARTS_H
#define PPROC_CLI_SETTINGS_PARTS_H

#include "cli/options.h"

#include <stdbool.h>

// Say that an option cannot have this value, and what is allowed. Returns false.
bool refuse(enum option_id id, const char *value, const char *allowed);

// The name of a file that begins with '-' is more likely an option in the wrong place. Returns
// false.
bool refuse_dash(enum option_id id, const char *value);

// Put the name of a file that an option gives into *file, if it does. False: refused, and told.
bool set_file(const char **file, const struct options *options, enum option_id id);

// All about COMMAND. False: refused, and told.
bool set_command(struct settings *settings, const struct options *options);

// The template of tags, once COMMAND is set. Likewise.
bool set_tag(struct settings *settings, const struct options *options);

#endif
