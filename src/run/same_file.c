// SPDX-License-Identifier: BSD-2-Clause
// Comparing inputs with the output before anything is read.

#include "run/same_file.h"

#include "base/diag.h"
#include "cli/settings.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool same_file_refused(const struct settings *settings)
{
    struct stat output, input;
    const char *file = settings->output;
    int there = file != NULL ? stat(file, &output) : fstat(STDOUT_FILENO, &output);
    if (there != 0 || !S_ISREG(output.st_mode)) {
        return false;
    }
    for (size_t i = 0; i < settings->file_count; i++) {
        const char *name = settings->files[i];
        int got = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &input) : stat(name, &input);
        if (got == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino) {
            diag_error("%s: is an input and also the output: write to another file", name);
            return true;
        }
    }
    return false;
}
