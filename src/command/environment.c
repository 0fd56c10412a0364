// SPDX-License-Identifier: BSD-2-Clause
// The environment of a child. Ours is copied once; only what differs is made anew.

#include "command/environment.h"

#include "base/buf.h"
#include "command/form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Those that are ours, PPROC_FILE last.
#define OWN 5

// Room for a name and a number.
#define NUMBER_BYTES 48

struct environment {
    char numbers[OWN - 1][NUMBER_BYTES];
    struct buf file;
    char *list[]; // ours, and those, and NULL
};

static const char *const names[OWN] = {
    "PPROC_SEQ=", "PPROC_NR=", "PPROC_SLOT=", "PPROC_ATTEMPT=", "PPROC_FILE="};

// Is it one that a pproc gave to us?
static int is_own(const char *variable)
{
    for (size_t i = 0; i < OWN; i++) {
        if (strncmp(variable, names[i], strlen(names[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

struct environment *environment_create(void)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    struct environment *environment =
        calloc(1, sizeof(*environment) + (OWN + count + 1) * sizeof(environment->list[0]));
    if (environment == NULL) {
        return NULL;
    }
    size_t end = OWN;
    for (size_t i = 0; i < count; i++) {
        if (!is_own(environ[i])) {
            environment->list[end++] = environ[i];
        }
    }
    return environment;
}

void environment_destroy(struct environment *environment)
{
    if (environment != NULL) {
        buf_free(&environment->file);
        free(environment);
    }
}

char *const *environment_fill(struct environment *environment, const struct values *values,
                              unsigned attempt)
{
    const uint64_t numbers[OWN - 1] = {values->seq, values->nr, values->slot, attempt};
    for (size_t i = 0; i < OWN - 1; i++) {
        (void)snprintf(environment->numbers[i], NUMBER_BYTES, "%s%" PRIu64, names[i], numbers[i]);
        environment->list[i] = environment->numbers[i];
    }
    struct buf *file = &environment->file;
    const char *name = names[OWN - 1];
    file->len = 0;
    if (buf_append(file, name, strlen(name)) != 0 ||
        buf_append(file, values->file, strlen(values->file) + 1) != 0) {
        return NULL;
    }
    environment->list[OWN - 1] = file->bytes;
    return environment->list;
}
