// SPDX-License-Identifier: BSD-2-Clause
// The gzip decoder against files that are damaged in every kind of place: it says that all is well
// if and only if gzip does, and gives the same bytes then; else all that comes before the damage.

#include "input/decoder.h"
#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
    unsigned char *at;
    size_t len;
};

static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

// The file `stem``suffix`; `at` is NULL if there is none.
static struct bytes load(const char *stem, const char *suffix)
{
    struct bytes bytes = {NULL, 0};
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s%s", stem, suffix);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        if (errno != ENOENT) {
            die(path);
        }
        return bytes;
    }
    if (fseek(file, 0, SEEK_END) != 0) {
        die(path);
    }
    bytes.len = (size_t)ftell(file);
    rewind(file);
    bytes.at = malloc(bytes.len + 1);
    if (bytes.at == NULL || fread(bytes.at, 1, bytes.len, file) != bytes.len) {
        die(path);
    }
    (void)fclose(file);
    return bytes;
}

struct outcome {
    enum decode_status status;
    struct bytes out;
    bool has_problem;
    bool stuck; // MORE, though there was nothing more to be had, or something left to do
};

// Decode with pieces of at most these sizes.
static struct outcome decode(struct bytes in, size_t in_piece, size_t out_piece)
{
    struct outcome outcome = {.stuck = false};
    struct decoder *decoder = decode_gzip_create();
    unsigned char *out = malloc(out_piece);
    if (decoder == NULL || out == NULL) {
        die("malloc");
    }
    size_t given = 0, cap = 0;
    struct decode_buffers buffers = {.in = in.at};
    do {
        if (buffers.in_len == 0 && given < in.len) {
            buffers.in_len = in.len - given < in_piece ? in.len - given : in_piece;
            given += buffers.in_len;
        }
        buffers.in_end = given == in.len;
        buffers.out = out;
        buffers.out_len = out_piece;
        bool at_end = buffers.in_end;
        outcome.status = decoder->decode(decoder, &buffers);
        size_t got = out_piece - buffers.out_len;
        if (outcome.out.len + got > cap) {
            cap = 2 * (outcome.out.len + got);
            outcome.out.at = realloc(outcome.out.at, cap);
            if (outcome.out.at == NULL) {
                die("realloc");
            }
        }
        if (got > 0) {
            memcpy(outcome.out.at + outcome.out.len, out, got);
            outcome.out.len += got;
        }
        if (outcome.status == DECODE_MORE && buffers.out_len > 0 &&
            (buffers.in_len > 0 || at_end)) {
            outcome.stuck = true;
        }
    } while (outcome.status == DECODE_MORE && !outcome.stuck);
    outcome.has_problem = decoder->problem != NULL;
    decoder->destroy(decoder);
    free(out);
    return outcome;
}

// Are the bytes the same, but for up to `slack` more of one at the end?
static bool equal(struct bytes a, struct bytes b, size_t slack)
{
    size_t less = a.len < b.len ? a.len : b.len, more = a.len < b.len ? b.len : a.len;
    return more - less <= slack && (less == 0 || memcmp(a.at, b.at, less) == 0);
}

// Libraries differ by a symbol or two in when they notice damage.
#define SLACK 3

// What is wrong with the outcome, or NULL. `want` is what gzip makes of it, `part` what comes
// before the damage.
static const char *judge(const struct outcome *outcome, struct bytes want, struct bytes part)
{
    if (outcome->stuck) {
        return "does not come to an end";
    }
    if (want.at == NULL && outcome->status == DECODE_END) {
        return "is read, and must be refused";
    }
    if (want.at == NULL && !outcome->has_problem) {
        return "is refused without a reason";
    }
    if (want.at != NULL && outcome->status != DECODE_END) {
        return "is refused, and must be read";
    }
    if (want.at != NULL && !equal(outcome->out, want, 0)) {
        return "gives other bytes than gzip";
    }
    return equal(outcome->out, part, SLACK) ? NULL
                                            : "does not give all that comes before the damage";
}

static bool is_right(const char *path)
{
    static const size_t pieces[][2] = {{1, 1 << 16}, {7, 1000}, {1 << 16, 1 << 18}, {1 << 16, 333}};
    char stem[4096];
    bool right = true;
    (void)snprintf(stem, sizeof(stem), "%.*s", (int)strlen(path) - 3, path);
    struct bytes in = load(stem, ".gz"), want = load(stem, ".out"), part = load(stem, ".part");
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct outcome outcome = decode(in, pieces[i][0], pieces[i][1]);
        const char *wrong = judge(&outcome, want, part);
        if (wrong != NULL) {
            printf("# %s in pieces of %zu and %zu %s: %zu bytes, %zu wanted\n",
                   strrchr(stem, '/') + 1, pieces[i][0], pieces[i][1], wrong, outcome.out.len,
                   part.len);
            right = false;
        }
        free(outcome.out.at);
    }
    free(in.at);
    free(want.at);
    free(part.at);
    return right;
}

// How many files of this kind there are; those that are not decoded as they must go to *wrong.
static size_t check_kind(const char *directory, const char *kind, size_t *wrong)
{
    char pattern[4096];
    glob_t files;
    *wrong = 0;
    (void)snprintf(pattern, sizeof(pattern), "%s/%s-*.gz", directory, kind);
    if (glob(pattern, 0, NULL, &files) != 0) {
        return 0;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        *wrong += !is_right(files.gl_pathv[i]);
    }
    size_t count = files.gl_pathc;
    globfree(&files);
    return count;
}

static void make_files(const char *directory)
{
    const char *srcdir = getenv("srcdir");
    char command[9000];
    (void)snprintf(command, sizeof(command), "python3 '%s/tests/data/corrupt-gzip.py' '%s'",
                   srcdir != NULL ? srcdir : ".", directory);
    OK(system(command) == 0, "the damaged files are made");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int main(void)
{
    static const char *const kinds[] = {"cut",   "flip",   "garbage", "header",
                                        "large", "padded", "second",  "whole"};
    char directory[] = "/tmp/test_decode_gzip.XXXXXX";
    if (mkdtemp(directory) == NULL) {
        die(directory);
    }
    make_files(directory);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t wrong, count = check_kind(directory, kinds[i], &wrong);
        OK(count > 0 && wrong == 0, "each of %zu files of the kind %s is judged as gzip does",
           count, kinds[i]);
    }
    (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
