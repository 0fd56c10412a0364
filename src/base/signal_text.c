// SPDX-License-Identifier: BSD-2-Clause
// Signals as messages name them.

#include "base/signal_text.h"

#include <stdio.h>
#include <string.h>

const char *signal_text(int signal, char text[static SIGNAL_TEXT_SIZE])
{
    const char *name = sigabbrev_np(signal);
    if (name != NULL) {
        (void)snprintf(text, SIGNAL_TEXT_SIZE, "SIG%s", name);
    } else {
        (void)snprintf(text, SIGNAL_TEXT_SIZE, "signal %d", signal);
    }
    return text;
}
