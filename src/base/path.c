// SPDX-License-Identifier: BSD-2-Clause
// Names of files.

#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Links that are followed before it must be a loop.
#define MAX_LINKS 40

char *path_sibling(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char *joined;
    int len = slash != NULL && name[0] != '/' ? (int)(slash + 1 - path) : 0;
    return asprintf(&joined, "%.*s%s", len, path, name) >= 0 ? joined : NULL;
}

char *path_follow(const char *file)
{
    char *path = strdup(file);
    for (int i = 0; path != NULL && i < MAX_LINKS; i++) {
        char link[PATH_MAX];
        ssize_t len = readlink(path, link, sizeof(link) - 1);
        if (len < 0) {
            return path; // no link, or nothing at all
        }
        link[len] = '\0';
        char *next = path_sibling(path, link);
        free(path);
        path = next;
    }
    free(path);
    errno = path != NULL ? ELOOP : ENOMEM;
    return NULL;
}

bool path_is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}
