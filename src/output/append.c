// SPDX-License-Identifier: BSD-2-Clause
// Opening of files that lines are added to.

#include "output/append.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FLAGS (O_APPEND | O_CLOEXEC | O_NOCTTY)

static int refuse(const char *file, const char *what, const char *why)
{
    diag_error("%s: %s cannot be written there: %s", file, what, why);
    return -1;
}

// O_EXCL follows no link: who could plant one would choose where the records go.
static int create(const char *file, const char *what)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | FLAGS, 0600);
    if (fd < 0) {
        return refuse(file, what,
                      errno == EEXIST ? "it is a link to a file that does not exist"
                                      : strerror(errno));
    }
    return fd;
}

int append_open(const char *file, const char *what)
{
    struct stat status;
    if (stat(file, &status) != 0) {
        return errno == ENOENT ? create(file, what) : refuse(file, what, strerror(errno));
    }
    int fd = open(file, (S_ISREG(status.st_mode) ? O_RDWR : O_WRONLY) | FLAGS);
    return fd >= 0 ? fd : refuse(file, what, strerror(errno));
}
