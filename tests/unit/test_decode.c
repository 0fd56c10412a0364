// SPDX-License-Identifier: BSD-2-Clause
// The decoders against files that are damaged in every kind of place: each says that all is well if
// and only if the format's own tool does, and gives the same bytes then; else all that comes before
// the damage.

#include "input/decoder.h"
#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Libraries differ by a symbol or two in when they notice damage.
#define SLACK 3

struct format {
    const char *name;   // of its tool
    const char *suffix; // of its files
    struct decoder *(*create)(unsigned threads);
    size_t beyond; // bytes that may come out of what is damaged
};

static const struct format formats[] = {
    {"bzip2", "bz2", decode_bzip2_create, SIZE_MAX}, // a block, before its checksum is known
    {"compress", "Z", decode_compress_create, SLACK},
    {"gzip", "gz", decode_gzip_create, SLACK},
    {"lz4", "lz4", decode_lz4_create, SLACK},
    {"lzip", "lz", decode_lzip_create, SLACK},
    {"xz", "xz", decode_xz_create, 64}, // out of what follows the compressed data
    {"zstd", "zst", decode_zstd_create, SLACK},
};

static const char *const kinds[] = {"cut",  "flip",   "garbage",    "header", "large", "padded",
                                    "seam", "second", "unverified", "whole",  "window"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
    unsigned char *at;
    size_t len, cap;
};

__attribute__((noreturn)) static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

// The file `stem`.`suffix`. False: there is none, *bytes is empty.
static bool load(const char *stem, const char *suffix, struct bytes *bytes)
{
    char path[4096];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%s.%s", stem, suffix);
    FILE *file = fopen(path, "rb");
    bool exists = file != NULL;
    if ((!exists && errno != ENOENT) || (exists && fstat(fileno(file), &status) != 0)) {
        die(path);
    }
    bytes->len = exists ? (size_t)status.st_size : 0;
    bytes->cap = bytes->len + 1;
    bytes->at = malloc(bytes->cap);
    if (bytes->at == NULL || (exists && fread(bytes->at, 1, bytes->len, file) != bytes->len)) {
        die(path);
    }
    if (exists) {
        (void)fclose(file);
    }
    return exists;
}

struct outcome {
    enum decode_status status;
    struct bytes out;
    size_t cap; // of out
    bool has_problem;
    bool stuck; // MORE, though there was nothing more to be had, or something left to do
};

static void append(struct outcome *outcome, const unsigned char *more, size_t len)
{
    struct bytes *out = &outcome->out;
    while (out->len + len >= outcome->cap) {
        outcome->cap = 2 * outcome->cap + 4096;
        out->at = realloc(out->at, outcome->cap);
        if (out->at == NULL) {
            die("realloc");
        }
    }
    memcpy(out->at + out->len, more, len);
    out->len += len;
}

// Decode with pieces of at most these sizes.
static struct outcome decode(const struct format *format, struct bytes in, size_t in_piece,
                             size_t out_piece)
{
    struct outcome outcome = {.stuck = false};
    struct decoder *decoder = format->create(2);
    unsigned char *out = malloc(out_piece);
    if (decoder == NULL || out == NULL) {
        die("malloc");
    }
    size_t given = 0;
    struct decode_buffers buffers = {.in = in.at};
    do {
        if (buffers.in_len == 0 && given < in.len) {
            buffers.in_len = in.len - given < in_piece ? in.len - given : in_piece;
            given += buffers.in_len;
        }
        buffers.in_end = given == in.len;
        buffers.in_last = buffers.in_end || in_piece < 10; // as if they came slowly
        buffers.out = out;
        buffers.out_len = out_piece;
        outcome.status = decoder->decode(decoder, &buffers);
        append(&outcome, out, out_piece - buffers.out_len);
        outcome.stuck = outcome.status == DECODE_MORE && buffers.out_len > 0 &&
                        (buffers.in_len > 0 || buffers.in_end);
    } while (outcome.status == DECODE_MORE && !outcome.stuck);
    outcome.has_problem = decoder->problem != NULL;
    decoder->destroy(decoder);
    free(out);
    return outcome;
}

// Does `out` begin with `want`, less SLACK?
static bool begins(struct bytes out, struct bytes want)
{
    size_t less = out.len < want.len ? out.len : want.len;
    return want.len - less <= SLACK && memcmp(out.at, want.at, less) == 0;
}

// What is wrong with the outcome, or NULL. If the tool reads the file, `want` is what it makes of
// it; `part` is what comes before the damage.
static const char *judge(const struct format *format, const struct outcome *outcome, bool clean,
                         struct bytes want, struct bytes part)
{
    if (outcome->stuck) {
        return "does not come to an end";
    }
    if (!clean && outcome->status == DECODE_END) {
        return "is read, and must be refused";
    }
    if (!clean && !outcome->has_problem) {
        return "is refused without a reason";
    }
    if (clean && outcome->status != DECODE_END) {
        return "is refused, and must be read";
    }
    if (clean && (outcome->out.len != want.len || !begins(outcome->out, want))) {
        return "gives other bytes than the tool";
    }
    if (!begins(outcome->out, part)) {
        return "does not give all that comes before the damage";
    }
    return outcome->out.len > part.len && outcome->out.len - part.len > format->beyond
               ? "gives more than comes before the damage"
               : NULL;
}

#define MANY_BYTES 100000

static bool is_right(const struct format *format, const char *path)
{
    static const size_t pieces[][2] = {{1, 1 << 16}, {7, 1000}, {1 << 16, 1 << 18}, {1 << 16, 333}};
    char stem[4096];
    bool right = true;
    (void)snprintf(stem, sizeof(stem), "%.*s", (int)(strrchr(path, '.') - path), path);
    struct bytes in, want, part;
    bool clean = load(stem, "out", &want);
    if (!load(stem, format->suffix, &in) || !load(stem, "part", &part)) {
        die(stem);
    }
    // Byte by byte, large files would take minutes.
    for (size_t i = in.len > MANY_BYTES; i < COUNT(pieces); i++) {
        struct outcome outcome = decode(format, in, pieces[i][0], pieces[i][1]);
        const char *wrong = judge(format, &outcome, clean, want, part);
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
static size_t check_kind(const struct format *format, const char *directory, const char *kind,
                         size_t *wrong)
{
    char pattern[4096];
    glob_t files;
    *wrong = 0;
    (void)snprintf(pattern, sizeof(pattern), "%s/%s-*.%s", directory, kind, format->suffix);
    if (glob(pattern, 0, NULL, &files) != 0) {
        return 0;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        *wrong += !is_right(format, files.gl_pathv[i]);
    }
    size_t count = files.gl_pathc;
    globfree(&files);
    return count;
}

static void make_files(const struct format *format, const char *directory)
{
    const char *srcdir = getenv("srcdir");
    char command[9000];
    (void)snprintf(command, sizeof(command), "python3 '%s/tests/data/corrupt.py' %s '%s'",
                   srcdir != NULL ? srcdir : ".", format->name, directory);
    OK(system(command) == 0, "the damaged files of %s are made", format->name);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void check_format(const struct format *format)
{
    char directory[] = "/tmp/test_decode.XXXXXX";
    size_t all = 0;
    if (mkdtemp(directory) == NULL) {
        die(directory);
    }
    make_files(format, directory);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        size_t wrong, count = check_kind(format, directory, kinds[i], &wrong);
        all += count;
        if (count > 0) {
            OK(wrong == 0, "each of %zu files of the kind %s is judged as %s does", count, kinds[i],
               format->name);
        }
    }
    OK(all > 350, "%zu files of %s", all, format->name);
    (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(formats); i++) {
        check_format(&formats[i]);
    }
    return tap_done();
}
