// SPDX-License-Identifier: BSD-2-Clause
// Exit statuses of the process. If several fit, the first of 4, 3, 5, 1 is taken.

#ifndef PPROC_BASE_EXIT_STATUS_H
#define PPROC_BASE_EXIT_STATUS_H

enum exit_status {
    EXIT_OK = 0,
    EXIT_FAILED_RECORDS = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_OUTPUT = 4,
    EXIT_STOPPED = 5,
    EXIT_NOT_EXECUTABLE = 126, // COMMAND
    EXIT_NOT_FOUND = 127,
};

#endif
