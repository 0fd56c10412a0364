// SPDX-License-Identifier: BSD-2-Clause
// measure FILE COMMAND [ARG]...: runs COMMAND and writes to FILE its elapsed seconds, the seconds
// of processor time that it and its children took, and the peak memory of the largest, in KiB.
//
// A program of its own, since what a process has at its peak before exec counts as its child's.

#include "base/clock.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARG]...\n");
        return 2;
    }
    FILE *out = fopen(argv[1], "we");
    if (out == NULL) {
        perror(argv[1]);
        return 2;
    }

    int64_t start = clock_now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 2;
    }
    fprintf(out, "%.6f %.6f %ld\n", (double)(clock_now() - start) / CLOCK_SECOND,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
    if (fclose(out) != 0) {
        perror(argv[1]);
        return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
