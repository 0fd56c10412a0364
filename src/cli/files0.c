// SPDX-License-Identifier: BSD-2-Clause
// The list of names that --files0-from gives.

#include "cli/files0.h"

#include "base/diag.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES 4096

// All of `fd`, with a NUL after it that is not counted. NULL with errno set on failure.
static char *read_all(int fd, size_t *len)
{
    char *bytes = NULL;
    size_t cap = 0;

    for (*len = 0;;) {
        if (*len + 1 >= cap) {
            cap = cap == 0 ? FIRST_BYTES : cap * 2;
            char *larger = realloc(bytes, cap);
            if (larger == NULL) {
                break;
            }
            bytes = larger;
        }
        ssize_t got = fdio_read(fd, bytes + *len, cap - *len - 1, -1);
        if (got == 0) {
            bytes[*len] = '\0';
            return bytes;
        }
        if (got < 0) {
            break;
        }
        *len += (size_t)got;
    }
    free(bytes); // leaves errno alone
    return NULL;
}

static char *read_file(const char *from, size_t *len)
{
    if (strcmp(from, "-") == 0) {
        return read_all(STDIN_FILENO, len);
    }
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    char *bytes = read_all(fd, len);
    int error = errno;
    (void)close(fd);
    errno = error;
    return bytes;
}

static size_t count_names(const char *bytes, size_t len)
{
    size_t count = 0;
    for (size_t off = 0; off < len; off += strlen(bytes + off) + 1) {
        count++;
    }
    return count;
}

static bool name_allowed(const char *from, const char *name, size_t number)
{
    if (*name == '\0') {
        diag_error("--files0-from=%s: name %zu is empty", from, number);
        return false;
    }
    if (strcmp(from, "-") == 0 && strcmp(name, "-") == 0) {
        diag_error("--files0-from=-: name %zu is '-', but standard input is the list of names",
                   number);
        return false;
    }
    return true;
}

int files0_read(const char *from, char **bytes, char ***names, size_t *count)
{
    size_t len;
    *names = NULL;
    *bytes = read_file(from, &len);
    if (*bytes == NULL) {
        diag_error("--files0-from=%s: the list cannot be read: %s", from, strerror(errno));
        return -1;
    }

    *count = count_names(*bytes, len);
    *names = calloc(*count + 1, sizeof(**names));
    if (*names == NULL) {
        diag_error("--files0-from=%s: no memory for %zu names", from, *count);
        return -1;
    }
    char *name = *bytes;
    for (size_t i = 0; i < *count; i++, name += strlen(name) + 1) {
        if (!name_allowed(from, name, i + 1)) {
            return -1;
        }
        (*names)[i] = name;
    }
    return 0;
}
