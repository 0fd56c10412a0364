// SPDX-License-Identifier: BSD-2-Clause
// libFuzzer on the target that TARGET in the environment names.

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

// The names of all, if TARGET is none of them.
_Noreturn static void die(void)
{
    fprintf(stderr, "fuzz: set TARGET in the environment to one of:");
    for (const struct fuzz_target *target = fuzz_targets; target->name != NULL; target++) {
        fprintf(stderr, " %s", target->name);
    }
    fprintf(stderr, "\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct fuzz_target *target;
    if (target == NULL) {
        const char *name = getenv("TARGET");
        target = fuzz_targets;
        while (target->name != NULL && (name == NULL || strcmp(name, target->name) != 0)) {
            target++;
        }
        if (target->name == NULL) {
            die();
        }
    }
    target->run(data, size);
    return 0;
}
