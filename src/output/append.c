// SPDX-License-Identifier: BSD-2-Clause
// Files that lines are added to.

#include "output/append.h"

#include "base/diag.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_APPEND | O_CLOEXEC | O_NOCTTY)

static int refuse(const char *file, const char *what, const char *why)
{
    diag_error("%s: %s cannot be written there: %s", file, what, why);
    return -1;
}

static int open_existing(const char *file, const char *what)
{
    struct stat status;
    bool regular = stat(file, &status) == 0 && S_ISREG(status.st_mode);
    int fd = open(file, (regular ? O_RDWR : O_WRONLY) | FLAGS);
    return fd >= 0 ? fd : refuse(file, what, strerror(errno));
}

static bool is_link(const char *file)
{
    struct stat status;
    return lstat(file, &status) == 0 && S_ISLNK(status.st_mode);
}

// O_EXCL follows no link: who could plant one would choose where the records go.
static int create(const char *file, const char *what)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | FLAGS, 0600);
    if (fd >= 0) {
        return fd;
    }
    if (errno != EEXIST) {
        return refuse(file, what, strerror(errno));
    }
    if (is_link(file)) {
        return refuse(file, what, "it is a link to a file that does not exist");
    }
    return open_existing(file, what); // somebody else was faster
}

int append_open(struct append *append, const char *file, const char *what)
{
    struct stat status;
    append->name = file;
    append->fd = -1;
    if (stat(file, &status) == 0) {
        append->fd = open_existing(file, what);
    } else if (errno == ENOENT) {
        append->fd = create(file, what);
    } else {
        refuse(file, what, strerror(errno));
    }
    return append->fd >= 0 ? 0 : -1;
}

int append_refuse(const struct append *append, const char *what)
{
    return refuse(append->name, what, strerror(errno));
}

int append_write(struct append *append, const char *bytes, size_t len)
{
    struct iovec iov = {(char *)bytes, len};
    size_t written = 0;
    if (fdio_write_all(append->fd, &iov, 1, &written) != 0) {
        append->error = errno;
        return -1;
    }
    return 0;
}

int append_close(struct append *append)
{
    int fd = append->fd;
    append->fd = -1;
    if (fd >= 0 && close(fd) != 0 && append->error == 0) {
        append->error = errno;
    }
    return append->error == 0 ? 0 : -1;
}
