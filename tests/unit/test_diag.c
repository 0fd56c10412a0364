// SPDX-License-Identifier: BSD-2-Clause
// Messages on standard error, seen through a pipe in packet mode: each write is one packet.

#include "base/diag.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pipe_end;
static char packet[8192];

// The next packet, "" if there is none.
static const char *next_packet(void)
{
    ssize_t len = read(pipe_end, packet, sizeof(packet) - 1);
    packet[len > 0 ? len : 0] = '\0';
    return packet;
}

static void listen_to_standard_error(void)
{
    int ends[2];
    if (pipe2(ends, O_DIRECT | O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0) {
        printf("Bail out! no pipe: %s\n", strerror(errno));
        exit(1);
    }
    pipe_end = ends[0];
}

// Nothing more can be written to it without waiting.
static void fill_standard_error(void)
{
    while (write(STDERR_FILENO, ".", 1) == 1) {
    }
}

static void test_long_message(void)
{
    char text[3001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    diag_error("%s|", text);
    const char *got = next_packet();
    OK(strlen(got) == 7 + 3000 + 2 && strcmp(got + 7 + 3000, "|\n") == 0,
       "a long message is whole, in one write");
}

// What fits the buffer on the stack must be as right as what does not.
static void test_lengths(void)
{
    char text[1100];
    bool right = true;
    memset(text, 'x', sizeof(text));
    for (int len = 1000; len < (int)sizeof(text); len++) {
        diag_error("%.*s", len, text);
        const char *got = next_packet();
        right &= (int)strlen(got) == 7 + len + 1 && strspn(got + 7, "x") == (size_t)len;
    }
    OK(right, "messages of every length around the usual limit are whole");
}

static void test_status(void)
{
    diag_status("one");
    OK(strcmp(next_packet(), "\r\033[Kone") == 0, "a status line begins the line anew");
    diag_status("two");
    OK(strcmp(next_packet(), "\r\033[Ktwo") == 0, "the next one too");
    diag_error("message");
    OK(strcmp(next_packet(), "\r\033[Kpproc: message\ntwo") == 0,
       "a message takes its place, and it is drawn again, all in one write");
    diag_write("a\x01\nb\n", 5);
    OK(strcmp(next_packet(), "\r\033[Ka\x01\nb\ntwo") == 0,
       "lines of another form are as they are");
    diag_status("");
    diag_error("message");
    OK(strcmp(next_packet(), "\r\033[K") == 0 && strcmp(next_packet(), "pproc: message\n") == 0,
       "it goes without a trace");
    fill_standard_error();
    diag_status("three");
    OK(strchr(next_packet(), 't') == NULL, "a terminal that takes nothing is not waited for");
    while (*next_packet() != '\0') {
    }
}

int main(void)
{
    listen_to_standard_error();

    diag_error("%s: line %d", "a.log", 7);
    OK(strcmp(next_packet(), "pproc: a.log: line 7\n") == 0, "a message is one line in one write");

    diag_error("a\x1b[2Jb\x01\x7f\rc\td\ne \xc3\xa9");
    OK(strcmp(next_packet(), "pproc: a?[2Jb???c\td\ne \xc3\xa9\n") == 0,
       "control bytes but newline and tab are hidden, the rest is not");

    test_long_message();
    test_lengths();

    errno = ENOSPC;
    diag_error("one");
    diag_warn("two");
    OK(errno == ENOSPC, "errno stays");
    OK(strcmp(next_packet(), "pproc: one\n") == 0 && strcmp(next_packet(), "pproc: two\n") == 0,
       "errors and warnings are shown");

    diag_set_quiet(true);
    diag_warn("three");
    OK(strcmp(next_packet(), "") == 0, "a warning is silent once quiet is set");
    diag_error("four");
    OK(strcmp(next_packet(), "pproc: four\n") == 0, "an error is not");

    test_status();

    close(STDERR_FILENO);
    errno = 0;
    diag_error("five");
    OK(errno == 0, "a message that cannot be written is no failure");
    return tap_done();
}
