// SPDX-License-Identifier: BSD-2-Clause
// Messages on standard error.

#include "base/diag.h"

#include "base/fdio.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "pproc: ";
#define PREFIX_BYTES (sizeof(prefix) - 1)

static bool quiet_wanted;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // guards the status line and the terminal
static char status[DIAG_STATUS_BYTES];                    // as it is drawn; "": none

// Back to the first column, and everything behind it gone.
static char erase[] = "\r\033[K";

void diag_set_quiet(bool quiet)
{
    quiet_wanted = quiet;
}

static void hide_control_bytes(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
            *text = '?';
        }
    }
}

// Put the whole message into `text`, cut if need be. Returns the bytes of all of it.
__attribute__((format(printf, 3, 0))) static size_t compose(char *text, size_t size,
                                                            const char *format, va_list args)
{
    memcpy(text, prefix, PREFIX_BYTES);
    int len = vsnprintf(text + PREFIX_BYTES, size - PREFIX_BYTES, format, args);
    if (len < 0) {
        text[PREFIX_BYTES] = '\0';
        len = 0;
    }
    hide_control_bytes(text);
    return PREFIX_BYTES + (size_t)len;
}

void diag_write(const char *lines, size_t len)
{
    mutex_lock(&mutex);
    struct iovec iov[] = {
        {erase, status[0] != '\0' ? sizeof(erase) - 1 : 0},
        {(char *)lines, len},
        {status, strlen(status)},
    };
    size_t written = 0;
    // Nowhere left to complain.
    (void)fdio_write_all(STDERR_FILENO, iov, sizeof(iov) / sizeof(iov[0]), &written);
    mutex_unlock(&mutex);
}

void diag_status(const char *line)
{
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (pthread_mutex_trylock(&mutex) != 0) {
        return;
    }
    if (poll(&terminal, 1, 0) == 1 && terminal.revents == POLLOUT) {
        (void)stpncpy(status, line, sizeof(status) - 1);
        struct iovec iov[] = {{erase, sizeof(erase) - 1}, {status, strlen(status)}};
        size_t written = 0;
        (void)fdio_write_all(STDERR_FILENO, iov, sizeof(iov) / sizeof(iov[0]), &written);
    }
    mutex_unlock(&mutex);
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
    char small[1024];
    char *large = NULL;
    char *text = small;
    va_list again;

    va_copy(again, args);
    size_t len = compose(small, sizeof(small), format, args);
    if (len >= sizeof(small)) {
        large = malloc(len + 1);
        if (large != NULL) {
            text = large;
            compose(large, len + 1, format, again);
        } else {
            len = sizeof(small) - 1;
        }
    }
    va_end(again);

    text[len] = '\n'; // in place of the NUL
    diag_write(text, len + 1);
    free(large);
}

void diag_error(const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    errno = saved;
}

void diag_warn(const char *format, ...)
{
    int saved = errno;
    if (!quiet_wanted) {
        va_list args;
        va_start(args, format);
        say(format, args);
        va_end(args);
    }
    errno = saved;
}
