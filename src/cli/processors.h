// SPDX-License-Identifier: BSD-2-Clause
// How many processors this process may use.

#ifndef PPROC_CLI_PROCESSORS_H
#define PPROC_CLI_PROCESSORS_H

// By affinity and by the processor quota of the control groups, rounded up; at least 1.
unsigned processors_available(void);

// The quota alone, 0 if there is none. `root` is put before the paths of the system's files: "",
// or a directory that stands for "/" in tests.
unsigned processors_quota(const char *root);

#endif
