// SPDX-License-Identifier: BSD-2-Clause
// What the fuzz targets have in common. They are linked with --wrap for the functions of fdio that
// read, so that reads can be cut here without other threads or the timing of pipes.

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

const struct fuzz_target fuzz_targets[] = {
    {"classify", fuzz_classify}, {"decode", fuzz_decode},
    {"frame", fuzz_frame},       {"input", fuzz_input},
    {"joblog", fuzz_joblog},     {"letter", fuzz_letter},
    {"options", fuzz_options},   {"plan", fuzz_plan},
    {"reader", fuzz_reader},     {"replayed", fuzz_replayed},
    {"search", fuzz_search},     {"units", fuzz_units},
    {"words", fuzz_words},       {NULL, NULL},
};

_Noreturn void fuzz_die(const char *condition, const char *file, int line)
{
    printf("# %s:%d: does not hold: %s\n", file, line, condition);
    (void)fflush(stdout);
    abort();
}

unsigned char feed_byte(struct feed *feed)
{
    if (feed->len == 0) {
        return 0;
    }
    feed->len--;
    return *feed->bytes++;
}

char *feed_word(struct feed *feed)
{
    const unsigned char *end = feed->len > 0 ? memchr(feed->bytes, 0, feed->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - feed->bytes) : feed->len;
    char *word = strndup((const char *)feed->bytes, len);
    MUST(word != NULL);
    feed->bytes += len + (end != NULL);
    feed->len -= len + (end != NULL);
    return word;
}

size_t fuzz_record_end(const char *bytes, size_t len, size_t off, char delimiter)
{
    const char *end = memchr(bytes + off, delimiter, len - off);
    return end != NULL ? (size_t)(end - bytes) + 1 : len;
}

uint64_t fuzz_hash(const unsigned char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t cut_state;

void fuzz_cut_reads(uint64_t seed)
{
    cut_state = seed;
}

// xorshift64*: from 0 to below `n`.
static size_t below(size_t n)
{
    cut_state ^= cut_state >> 12;
    cut_state ^= cut_state << 25;
    cut_state ^= cut_state >> 27;
    return (cut_state * UINT64_C(2685821657736338717) >> 32) % n;
}

ssize_t __real_fdio_read(int fd, void *bytes, size_t size, int stop_fd);
ssize_t __wrap_fdio_read(int fd, void *bytes, size_t size, int stop_fd);
ssize_t __wrap_fdio_read(int fd, void *bytes, size_t size, int stop_fd)
{
    if (cut_state != 0 && size > 1) {
        size = 1 + below(below(4) == 0 || size < 16 ? size : 16);
    }
    return __real_fdio_read(fd, bytes, size, stop_fd);
}

bool __real_fdio_readable(int fd);
bool __wrap_fdio_readable(int fd);
bool __wrap_fdio_readable(int fd)
{
    return (cut_state == 0 || below(3) > 0) && __real_fdio_readable(fd);
}

void fuzz_set_stdin(const unsigned char *bytes, size_t len, bool pipe)
{
    int ends[2];
    if (pipe) {
        MUST(pipe2(ends, 0) == 0);
    } else {
        ends[0] = ends[1] = memfd_create("input", 0);
        MUST(ends[0] >= 0);
    }
    MUST(write(ends[1], bytes, len) == (ssize_t)len);
    MUST(pipe || lseek(ends[0], 0, SEEK_SET) == 0);
    MUST(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    (void)close(ends[0]);
    if (pipe) {
        (void)close(ends[1]);
    }
}
