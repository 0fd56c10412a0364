// SPDX-License-Identifier: BSD-2-Clause
// Finding of programs.

#include "base/lookup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Can the file be run? Sets errno if not.
static bool is_program(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return access(path, X_OK) == 0;
}

// A program in one of the directories, which colons divide; an empty one is the current.
static char *search(const char *directories, const char *name)
{
    int error = ENOENT;
    for (const char *at = directories;; at++) {
        size_t len = strcspn(at, ":");
        char *path;
        if (asprintf(&path, "%.*s%s%s", (int)len, at, len > 0 ? "/" : "", name) < 0) {
            return NULL;
        }
        if (is_program(path)) {
            return path;
        }
        if (errno == EACCES || errno == EISDIR) {
            error = errno; // unless another one can be run
        }
        free(path);
        at += len;
        if (*at == '\0') {
            errno = error;
            return NULL;
        }
    }
}

char *lookup_program(const char *name)
{
    if (*name == '\0') {
        errno = ENOENT;
        return NULL;
    }
    if (strchr(name, '/') != NULL) {
        return is_program(name) ? strdup(name) : NULL;
    }
    const char *directories = getenv("PATH");
    return search(directories != NULL ? directories : "/bin:/usr/bin", name);
}
