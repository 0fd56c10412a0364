// SPDX-License-Identifier: BSD-2-Clause
// What the stages of a source have in common.

#include "input/stage.h"

#include <stdarg.h>
#include <stdio.h>

enum source_status stage_damaged(struct problem *problem, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    return SOURCE_DAMAGED;
}
