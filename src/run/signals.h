// SPDX-License-Identifier: BSD-2-Clause
// Signals come as bytes to read, to main alone; no handler runs anywhere.

#ifndef PPROC_RUN_SIGNALS_H
#define PPROC_RUN_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

struct signals {
    int fd;            // readable when a signal is there
    bool pipe_ignored; // SIGPIPE was ignored when the program started
};

// Block the signals that we deal with and open the descriptor; to be called before the first
// thread. Signals that were ignored stay so. Returns 0, or -1 with errno set.
int signals_init(struct signals *signals);

// The next signal that is there, or 0.
int signals_next(struct signals *signals);

// Stop as SIGTSTP does, and go on at SIGCONT.
void signals_suspend(void);

// End the process by the signal, as if it had not been blocked.
_Noreturn void signals_die(int signal);

#endif
