// SPDX-License-Identifier: BSD-2-Clause
// The progress bar: when it is drawn, and with what. Main's alone.

#ifndef PPROC_RUN_BAR_H
#define PPROC_RUN_BAR_H

#include "cli/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct settings;
struct shared;

struct bar {
    bool terminal; // one line, redrawn in place; else a line after the other
    int64_t due;   // when it is to be drawn, in nanoseconds of the run; INT64_MAX: never
    bool shown;    // it is to be seen at the end too
    struct progress progress;
};

// Decide if there is to be one, and how much there is to read. Times are those of the run: the
// process may have been stopped meanwhile.
void bar_init(struct bar *bar, const struct settings *settings);

// Draw it if it is due.
void bar_tick(struct bar *bar, const struct shared *shared, int64_t elapsed);

// Take it away, until it is due again.
void bar_hide(const struct bar *bar);

// The run has ended. What was shown stays, as one line.
void bar_finish(struct bar *bar, const struct shared *shared, int64_t elapsed);

#endif
