// SPDX-License-Identifier: BSD-2-Clause
// What the files that make the settings have in common; for them alone.

#ifndef PPROC_CLI_SETTINGS_PARTS_H
#define PPROC_CLI_SETTINGS_PARTS_H

#include "cli/options.h"

#include <stdbool.h>
#include <stdint.h>

// Say that an option cannot have this value, and what is allowed. Returns false.
bool refuse(enum option_id id, const char *value, const char *allowed);

// The name of a file that begins with '-' is more likely an option in the wrong place. Returns
// false.
bool refuse_dash(enum option_id id, const char *value);

// Put the name of a file that an option gives into *file, if it does. False: refused, and told.
bool set_file(const char **file, const struct options *options, enum option_id id);

// Put the duration that an option gives into *ns, or else the usual one. False: refused, and told.
bool set_duration(int64_t *ns, const struct options *options, enum option_id id, int64_t standard);

// All about COMMAND. False: refused, and told.
bool set_command(struct settings *settings, const struct options *options);

// When records are started, once it is known what is seen of it. Likewise.
bool set_scheduling(struct settings *settings, const struct options *options);

// The template of tags, once COMMAND is set. Likewise.
bool set_tag(struct settings *settings, const struct options *options);

#endif
