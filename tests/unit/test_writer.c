// SPDX-License-Identifier: BSD-2-Clause
// The writer: missing delimiters, spilled results, outputs that fail.

#include "output/sink.h"
#include "output/spill.h"
#include "output/writer.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct spill *spill;
static struct block block = {.delimiter = '\n'};

static struct result *make_result(const char *text)
{
    struct result *result = result_create(&block, 0, 1);
    struct emitter emitter;
    emitter_init(&emitter);
    if (text[0] != '\0') {
        emitter_keep(&emitter, text, strlen(text));
    }
    emitter_finish(&emitter, result);
    emitter_destroy(&emitter);
    return result;
}

// Results with these outputs, up to NULL.
static struct result *make_results(const char *const *texts)
{
    struct result *first = NULL, **end = &first;
    for (; *texts != NULL; texts++) {
        *end = make_result(*texts);
        end = &(*end)->queue_next;
    }
    return first;
}

static void destroy_results(struct result *result)
{
    while (result != NULL) {
        struct result *next = result->queue_next;
        result_destroy(result);
        result = next;
    }
}

// What the writer makes of the results; the length is in *len.
static const char *output_of(struct result *results, bool ordered, size_t *len)
{
    static char text[1 << 20];
    char path[] = "/tmp/test_writer.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct sink *sink = sink_open(path);
    struct writer *writer =
        writer_create(sink, '\n', ordered ? ENDING_ADDED_BETWEEN : ENDING_ADDED, spill);
    bool whole = writer_write(writer, results) == NULL;
    close(fd);
    whole = whole && sink_finish(sink) == 0;
    fd = open(path, O_RDONLY | O_CLOEXEC); // another file by now
    ssize_t got = read(fd, text, sizeof(text) - 1);
    *len = got > 0 ? (size_t)got : 0;
    text[*len] = '\0';
    whole = whole && writer_bytes(writer) == *len;
    writer_destroy(writer);
    sink_destroy(sink);
    close(fd);
    unlink(path);
    destroy_results(results);
    return whole ? text : "incomplete";
}

static void test_delimiters(void)
{
    static const char *const texts[] = {"a\n", "b", "", "c\nd", NULL};
    size_t len;
    OK(strcmp(output_of(make_results(texts), true, &len), "a\nb\nc\nd") == 0,
       "ordered, a missing delimiter is added when more follows, and only then");
    OK(strcmp(output_of(make_results(texts), false, &len), "a\nb\nc\nd\n") == 0,
       "unordered, it is always added");
}

// An empty last record without its delimiter, as an operation may leave it, between others.
static void test_empty_record(void)
{
    static const char *const texts[] = {"a\n", "", "b\n", "c\n", NULL};
    for (unsigned ordered = 0; ordered < 2; ordered++) {
        struct result *results = make_results(texts);
        results->queue_next->unterminated = true;
        results->queue_next->queue_next->queue_next->unterminated = true;
        size_t len;
        OK(strcmp(output_of(results, ordered, &len), ordered ? "a\n\nb\nc\n" : "a\n\nb\nc\n\n") ==
               0,
           "an empty record gets its delimiter, and one that ends in such a byte, %s",
           ordered ? "if more follows" : "always");
    }
}

static struct result *make_tagged(const char *text, const char *tags)
{
    struct result *result = make_result(text);
    result_tag(result, (struct iovec){.iov_base = (char *)tags, .iov_len = strlen(tags)});
    return result;
}

static void test_tags(void)
{
    static const struct {
        const char *tags, *output;
    } cases[] = {
        {"1:", "1:a\n1:b\n1:c\n"},
        {"1:\n2:\n", "1:a\n2:b\n2:c\n"},
        {"1:\n2:\n3:\n", "1:a\n2:b\n3:c\n"},
        {"\n2:\n\n", "a\n2:b\nc\n"},
    };
    size_t len;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result *results = make_tagged("a\nb\nc", cases[i].tags);
        OK(strcmp(output_of(results, false, &len), cases[i].output) == 0,
           "each line gets its tag, what follows the last one that: case %zu", i);
    }
    struct result *results = make_tagged("a\nb\n", "1:\n2:\n");
    results->queue_next = make_tagged("c\n", "3:\n");
    OK(strcmp(output_of(results, true, &len), "1:a\n2:b\n3:c\n") == 0,
       "each result has its own tags");
}

static void test_number(void)
{
    char text[32] = "", path[] = "/tmp/test_writer.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    struct sink *sink = sink_open(path);
    struct writer *writer = writer_create(sink, ';', ENDING_ADDED_BETWEEN, spill);
    bool written = writer_write_number(writer, UINT64_MAX) == 0 && sink_finish(sink) == 0;
    close(fd);
    fd = open(path, O_RDONLY | O_CLOEXEC); // another file by now
    OK(written && read(fd, text, sizeof(text) - 1) == 21 &&
           strcmp(text, "18446744073709551615;") == 0 && writer_bytes(writer) == 21,
       "a number is written with a delimiter, and its bytes are counted");
    writer_destroy(writer);
    sink_destroy(sink);
    close(fd);
    unlink(path);
}

static void test_many(void)
{
    struct result *first = NULL, **end = &first;
    char expected[3 * IOV_MAX * 8] = "";
    size_t expected_len = 0, len;
    for (unsigned i = 0; i < 3 * IOV_MAX; i++) {
        char text[16];
        expected_len += (size_t)sprintf(text, "%u\n", i);
        strcpy(expected + expected_len - strlen(text), text);
        *end = make_result(text);
        end = &(*end)->queue_next;
    }
    OK(strcmp(output_of(first, true, &len), expected) == 0 && len == expected_len,
       "more pieces than one call takes are written");
}

// A block with a long run that is referred to, between two short ones that are copied.
static struct result *make_mixed(struct block *long_block)
{
    struct result *result = result_create(long_block, 0, long_block->len);
    struct emitter emitter;
    emitter_init(&emitter);
    emitter_keep(&emitter, long_block->buf, 3);
    emitter_keep(&emitter, long_block->buf + 3, 9997);
    emitter_keep(&emitter, "xyz\n", 4);
    emitter_finish(&emitter, result);
    emitter_destroy(&emitter);
    return result;
}

static void test_spilled(void)
{
    static char bytes[10000], big[300000];
    struct block long_block = {.buf = bytes, .len = sizeof(bytes), .delimiter = '\n'};
    memset(bytes, 'l', sizeof(bytes));
    memset(big, 'b', sizeof(big) - 1);

    struct result *before = make_result("before\n"), *mixed = make_mixed(&long_block);
    struct result *large = make_result(""), *after = make_result("after\n");
    large->own = strdup(big);
    large->own_len = strlen(big);
    large->iov = malloc(sizeof(*large->iov));
    large->iov[0] = (struct iovec){large->own, large->own_len};
    large->iov_count = 1;
    before->queue_next = mixed;
    mixed->queue_next = large;
    large->queue_next = after;
    OK(spill_result(spill, mixed) == 0 && spill_result(spill, large) == 0 && mixed->own == NULL,
       "results can be spilled");

    static char expected[sizeof(bytes) + sizeof(big) + 100];
    sprintf(expected, "before\n%.10000sxyz\n%s\nafter\n", bytes, big);
    size_t len;
    OK(strcmp(output_of(before, true, &len), expected) == 0,
       "and are written as if they had not been");
}

static void test_failing(void)
{
    static const char *const texts[] = {"a\n", "b\n", NULL};
    struct result *results = make_results(texts);
    struct sink *sink = sink_open("/dev/full");
    struct writer *writer = writer_create(sink, '\n', ENDING_ADDED_BETWEEN, spill);
    OK(writer_write(writer, results) == results, "on a full disk nothing counts as written");
    OK(writer_error(writer) == ENOSPC, "and the error is kept");
    writer_destroy(writer);
    sink_destroy(sink);
    destroy_results(results);

    struct spill *nowhere = spill_create("/nonexistent");
    struct result *result = make_result("a\n");
    OK(spill_result(nowhere, result) == -1 && spill_error(nowhere) == ENOENT,
       "a missing directory for temporary files is an error");
    OK(result->own != NULL && result->extents == NULL, "the result stays as it was");
    result_destroy(result);
    spill_destroy(nowhere);
}

int main(void)
{
    spill = spill_create("/tmp");
    test_delimiters();
    test_empty_record();
    test_tags();
    test_number();
    test_many();
    test_spilled();
    test_failing();
    spill_destroy(spill);
    return tap_done();
}
