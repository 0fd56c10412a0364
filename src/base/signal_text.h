// SPDX-License-Identifier: BSD-2-Clause
// Signals as messages name them.

#ifndef PPROC_BASE_SIGNAL_TEXT_H
#define PPROC_BASE_SIGNAL_TEXT_H

#define SIGNAL_TEXT_SIZE 32 // bytes, with the NUL

// `SIGTERM`, or `signal 34` for one that has no name, as those of real time. Returns `text`.
const char *signal_text(int signal, char text[static SIGNAL_TEXT_SIZE]);

#endif
