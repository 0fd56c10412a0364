// SPDX-License-Identifier: BSD-2-Clause
// Plugins that call exit() while the run goes on.

#include "run/exit_guard.h"

#include "base/diag.h"
#include "base/exit_status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

// What exit() calls is told nothing.
static atomic_bool armed;

static void guard(void)
{
    if (atomic_load(&armed)) {
        diag_error("a plugin has ended the run by exit(): not all was processed");
        _exit(EXIT_OUTPUT);
    }
}

int exit_guard_arm(void)
{
    if (atexit(guard) != 0) {
        return -1;
    }
    atomic_store(&armed, true);
    return 0;
}

void exit_guard_disarm(void)
{
    atomic_store(&armed, false);
}
