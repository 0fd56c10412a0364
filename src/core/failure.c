// SPDX-License-Identifier: BSD-2-Clause
// Names of the reasons why a record failed.

#include "core/failure.h"

const char *error_name(enum error error)
{
    switch (error) {
    case ERROR_REGEX:
        return "regex";
    case ERROR_TOO_LONG:
        return "too-long";
    }
    return "unknown";
}
