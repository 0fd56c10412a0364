// SPDX-License-Identifier: BSD-2-Clause
// Dead letters, byte by byte, and how many writes they take.

#include "base/base64.h"
#include "input/input.h"
#include "output/deadletter.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char path[] = "/tmp/test_deadletter.XXXXXX";
static unsigned writes;

// Instead of the C library's.
ssize_t writev(int fd, const struct iovec *iov, int count)
{
    writes++;
    return syscall(SYS_writev, fd, iov, count);
}

// All of the file; the length goes to *len.
static char *content(size_t *len)
{
    static char bytes[8 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, bytes, sizeof(bytes) - 1);
    close(fd);
    *len = got > 0 ? (size_t)got : 0;
    bytes[*len] = '\0';
    return bytes;
}

static bool content_is(const char *text)
{
    size_t len;
    const char *bytes = content(&len);
    bool is = len == strlen(text) && strcmp(bytes, text) == 0;
    if (!is) {
        printf("# %s\n# %s\n", bytes, text);
    }
    return is;
}

static struct input input = {.name = "in"};
static struct failure usual = {
    .input = &input,
    .nr = 7,
    .offset = 65,
    .attempts = 3,
    .seconds = 0.25,
    .priority = -2,
    .time = {.tv_sec = 951827696, .tv_nsec = 7654321},
};

// One letter in a file that had `before`.
static bool write_letter(const char *before, enum letter_format format, char delimiter,
                         struct failure *failure)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    bool ready = write(fd, before, strlen(before)) == (ssize_t)strlen(before);
    close(fd);
    struct deadletter *letters = deadletter_open(path, format, delimiter);
    writes = 0;
    bool done = ready && letters != NULL && deadletter_write(letters, failure) == 0 &&
                deadletter_finish(letters) == 0;
    deadletter_destroy(letters);
    return done;
}

static void set_record(struct failure *failure, const char *bytes, size_t len)
{
    failure->record = (char *)bytes;
    failure->record_len = len;
}

static void test_command(void)
{
    char out[] = "partial\n", err[] = "bad \xff\xc3( \"\x1b[1m\xe2\x82\xac\n";
    struct cause *cause = cause_create(ERROR_EXIT, "exit status %d", 3);
    cause->status = 3;
    cause->out = strdup(out);
    cause->out_len = strlen(out);
    cause->err = strdup(err);
    cause->err_len = strlen(err);
    struct failure failure = usual;
    failure.cause = cause;
    set_record(&failure, "a \"record\"", 10);
    OK(write_letter("", LETTERS_JSONL, '\n', &failure), "a letter is written");
    OK(content_is("{\"input\":\"in\",\"nr\":7,\"offset\":65,\"record\":\"a \\\"record\\\"\","
                  "\"encoding\":\"utf-8\",\"error\":\"exit\",\"status\":3,\"signal\":null,"
                  "\"message\":\"exit status 3\",\"stdout\":\"partial\\n\","
                  "\"stderr\":\"bad \xef\xbf\xbd\xef\xbf\xbd( \\\"\\u001B[1m\xe2\x82\xac\\n\","
                  "\"attempts\":3,\"seconds\":0.25,\"priority\":-2,"
                  "\"time\":\"2000-02-29T12:34:56.007Z\"}\n"),
       "it tells all, and bytes that are no UTF-8 are replaced in what is shown");

    cause->status = -1;
    cause->signal = 9;
    cause->error = ERROR_SIGNAL;
    OK(write_letter("", LETTERS_JSONL, '\0', &failure), "a letter is written");
    size_t len;
    const char *bytes = content(&len);
    OK(strstr(bytes, "\"error\":\"signal\",\"status\":null,\"signal\":9,") != NULL &&
           bytes[len - 1] == '\n',
       "a signal takes the place of the status; a letter is a line, whatever ends a record");
    cause_unref(cause);
}

// What the letter says under `key`; freed by the caller.
static char *value_of(const char *key, size_t *len)
{
    size_t size;
    const char *bytes = content(&size);
    json_t *json = json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);
    json_t *value = json_object_get(json, key);
    *len = json_string_length(value);
    char *copy = malloc(*len + 1);
    memcpy(copy, json_is_string(value) ? json_string_value(value) : "", *len + 1);
    json_decref(json);
    return copy;
}

// Does the record come back out of its letter, in this encoding?
static bool comes_back(const char *record, size_t len, const char *encoding)
{
    struct cause *cause = cause_create(ERROR_REGEX, "gave up");
    struct failure failure = usual;
    failure.cause = cause;
    set_record(&failure, record, len);
    bool written = write_letter("", LETTERS_JSONL, '\n', &failure);
    cause_unref(cause);
    size_t ignored, got;
    char *named = value_of("encoding", &ignored), *value = value_of("record", &got);
    bool same = written && strcmp(named, encoding) == 0;
    if (same && strcmp(encoding, "base64") == 0) {
        same = base64_decode(value, &got, value, got) == 0;
    }
    same = same && got == len && memcmp(value, record, len) == 0;
    free(named);
    free(value);
    return same;
}

static void test_records(void)
{
    OK(comes_back("", 0, "utf-8"), "an empty record is kept as it is");
    OK(comes_back("a\0b\0", 4, "utf-8"), "NUL is a character");
    OK(comes_back("\x01\t\r\n\x7f\"\\/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 17, "utf-8"),
       "controls, quotes and characters of any length");
    static const char *const invalid[] = {"\xff",
                                          "\x80",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xe0\x9f\xbf",
                                          "\xed\xa0\x80",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xc3",
                                          "\xe2\x82",
                                          "\xf0\x9f\x98",
                                          "\xe2(\xac",
                                          "ab\xff",
                                          "abc\xff",
                                          "abcd\xff\xff"};
    bool right = true;
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        right = right && comes_back(invalid[i], strlen(invalid[i]), "base64");
    }
    OK(right, "what is no UTF-8 is kept in base64");
    OK(comes_back("\xee\x80\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf\xe0\xa0\x80\xf0\x90\x80\x80", 17,
                  "utf-8"),
       "what just is UTF-8 is not");
}

static void test_long_records(void)
{
    static char record[3 << 20];
    bool right = true;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(record, 'x', shift);
        for (size_t i = shift; i < 200000; i += 4) {
            memcpy(record + i, "\xf0\x9f\x98\x80", 4);
        }
        right = right && comes_back(record, 200000 + shift, "utf-8") && writes == 1;
    }
    OK(right, "a long record is encoded in pieces of whole characters, and written at once");

    memset(record, 0xff, sizeof(record));
    right = true;
    for (size_t len = 300000; len < 300003; len++) {
        right = right && comes_back(record, len, "base64") && writes == 1;
    }
    OK(right, "likewise in base64");

    OK(comes_back(record, sizeof(record), "base64") && writes == 5,
       "a letter of more than 1 MiB is written in parts: %u", writes);
    memset(record, 'a', sizeof(record));
    OK(comes_back(record, sizeof(record), "utf-8") && writes == 4, "likewise in UTF-8: %u", writes);
}

static void test_truncated(void)
{
    struct cause *cause = cause_create(ERROR_TOO_LONG, "too long");
    struct failure failure = usual;
    failure.cause = cause;
    failure.truncated = true;
    set_record(&failure, "head", 4);
    OK(write_letter("", LETTERS_JSONL, '\n', &failure), "the head of a record makes a letter");
    size_t len;
    OK(strstr(content(&len), ".007Z\",\"truncated\":true}\n") != NULL, "which says what it is");

    struct deadletter *letters = deadletter_open(path, LETTERS_RAW, '\n');
    OK(!deadletter_takes(letters, &failure), "it is no record to be fed again");
    failure.truncated = false;
    OK(deadletter_takes(letters, &failure), "a whole one is");
    deadletter_destroy(letters);
    cause_unref(cause);
}

static void test_raw(void)
{
    struct failure failure = usual;
    set_record(&failure, "any\n\xff bytes", 11);
    OK(write_letter("before;", LETTERS_RAW, ';', &failure) && writes == 1 &&
           content_is("before;any\n\xff bytes;"),
       "raw is the record and its delimiter, written at once");
    OK(write_letter("torn", LETTERS_RAW, ';', &failure) && content_is("torn;any\n\xff bytes;"),
       "behind a record that lacks its own");
}

static void test_torn(void)
{
    struct deadletter *letters;
    size_t len;
    struct failure failure = usual;
    struct cause *cause = cause_create(ERROR_REGEX, "gave up");
    failure.cause = cause;
    set_record(&failure, "r", 1);
    OK(write_letter("{\"torn\":", LETTERS_JSONL, ';', &failure) &&
           strncmp(content(&len), "{\"torn\":\n{\"input\":", 18) == 0,
       "a torn last line gets its newline first");
    OK(write_letter("{}\n", LETTERS_JSONL, ';', &failure) &&
           strncmp(content(&len), "{}\n{\"input\":", 12) == 0,
       "a whole one does not");
    cause_unref(cause);

    letters = deadletter_open(path, LETTERS_JSONL, '\n');
    deadletter_destroy(letters);
    content(&len);
    size_t before = len;
    letters = deadletter_open(path, LETTERS_JSONL, '\n');
    deadletter_destroy(letters);
    content(&len);
    OK(len == before, "a file that is opened for nothing stays as it is");
}

static void test_error(void)
{
    struct failure failure = usual;
    set_record(&failure, "r", 1);
    struct deadletter *letters = deadletter_open("/dev/full", LETTERS_RAW, '\n');
    OK(letters != NULL && deadletter_takes(letters, &failure) && deadletter_error(letters) == 0,
       "a device can be written to");
    OK(deadletter_write(letters, &failure) == -1 && deadletter_error(letters) == ENOSPC,
       "an error is noted");
    OK(!deadletter_takes(letters, &failure), "and no letter is taken any more");
    OK(deadletter_finish(letters) == -1 && deadletter_error(letters) == ENOSPC, "to the end");
    deadletter_destroy(letters);
}

int main(void)
{
    close(mkostemp(path, O_CLOEXEC));
    test_command();
    test_records();
    test_long_records();
    test_truncated();
    test_raw();
    test_torn();
    test_error();
    unlink(path);
    return tap_done();
}
