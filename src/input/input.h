// SPDX-License-Identifier: BSD-2-Clause
// An input as the rest of the program sees it: something with a name that records come from.

#ifndef PPROC_INPUT_INPUT_H
#define PPROC_INPUT_INPUT_H

// Lives as long as the run. Blocks and failures point to it.
struct input {
    const char *name; // as given; "-" is standard input
};

#endif
