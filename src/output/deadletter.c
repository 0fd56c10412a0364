// SPDX-License-Identifier: BSD-2-Clause
// Dead letters: one JSON object a line, or the records alone.
//
// A letter is put together in memory and leaves in one write, so that a run that is killed tears
// none, and several runs can share a file. Only one that is longer than PART_BYTES goes out in
// parts: the record itself is encoded chunk by chunk, so that a long one does not cost memory again
// and again.

#include "output/deadletter.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "input/input.h"
#include "output/append.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What is written at once.
#define PART_BYTES ((size_t)1024 * 1024)

// What is encoded at once; a multiple of 3, so that pieces of Base64 fit together.
#define CHUNK_BYTES ((size_t)48 * 1024)

struct deadletter {
    struct append file;
    enum letter_format format;
    char delimiter;

    pthread_mutex_t mutex; // guards what follows, and what is written
    struct buf part;       // of the letter, not yet written
    struct buf scrap;      // what is put together for a moment
};

// --- opening and closing

// Is there a last record without its end?
static bool is_torn(const struct deadletter *letters)
{
    struct stat status;
    char last;
    int fd = letters->file.fd;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
           pread(fd, &last, 1, status.st_size - 1) == 1 && last != letters->delimiter;
}

static int flush(struct deadletter *letters)
{
    size_t len = letters->part.len;
    letters->part.len = 0;
    return append_write(&letters->file, letters->part.bytes, len);
}

struct deadletter *deadletter_open(const char *file, enum letter_format format, char delimiter)
{
    struct deadletter *letters = calloc(1, sizeof(*letters));
    if (letters == NULL || pthread_mutex_init(&letters->mutex, NULL) != 0) {
        diag_error("%s: no memory for dead letters", file);
        free(letters);
        return NULL;
    }
    letters->format = format;
    letters->delimiter = format == LETTERS_RAW ? delimiter : '\n';
    if (append_open(&letters->file, file, "dead letters") != 0) {
        deadletter_destroy(letters);
        return NULL;
    }
    if (is_torn(letters) &&
        (buf_append(&letters->part, &letters->delimiter, 1) != 0 || flush(letters) != 0)) {
        append_refuse(&letters->file, "dead letters");
        deadletter_destroy(letters);
        return NULL;
    }
    return letters;
}

int deadletter_finish(struct deadletter *letters)
{
    return append_close(&letters->file);
}

int deadletter_error(const struct deadletter *letters)
{
    return letters->file.error;
}

const char *deadletter_name(const struct deadletter *letters)
{
    return letters->file.name;
}

void deadletter_destroy(struct deadletter *letters)
{
    if (letters != NULL) {
        (void)append_close(&letters->file);
        THREAD_MUST(pthread_mutex_destroy(&letters->mutex));
        buf_free(&letters->part);
        buf_free(&letters->scrap);
        free(letters);
    }
}

// --- putting a letter together. Functions return 0, or -1 with errno set.

static int add(struct deadletter *letters, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room = PART_BYTES - letters->part.len;
        size_t count = len < room ? len : room;
        if (buf_append(&letters->part, bytes, count) != 0) {
            return -1;
        }
        if (letters->part.len == PART_BYTES && flush(letters) != 0) {
            return -1;
        }
        bytes += count;
        len -= count;
    }
    return 0;
}

// Add a value as JSON has it, but for its first and last character; the reference goes. NULL: there
// was no memory for it. The memory for the text is ours, since json_dumps() leaves out what it has
// none for.
static int add_inside(struct deadletter *letters, json_t *json)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6);
    struct buf *text = &letters->scrap;
    size_t len = 0;
    text->len = 0;
    if (json != NULL) {
        len = json_dumpb(json, text->bytes, text->cap, flags);
        if (len > text->cap && buf_reserve(text, len) == 0) {
            len = json_dumpb(json, text->bytes, text->cap, flags);
        }
    }
    json_decref(json);
    if (len == 0 || len > text->cap) {
        return -1;
    }
    return add(letters, text->bytes + 1, len - 2);
}

// Any bytes as a string. NULL: no memory.
static json_t *text(struct deadletter *letters, const char *bytes, size_t len)
{
    if (len == 0) {
        return json_string("");
    }
    if (utf8_valid(bytes, len) == len) {
        return json_stringn_nocheck(bytes, len);
    }
    letters->scrap.len = 0;
    if (utf8_repair(&letters->scrap, bytes, len) != 0) {
        return NULL;
    }
    return json_stringn_nocheck(letters->scrap.bytes, letters->scrap.len);
}

static int add_utf8(struct deadletter *letters, const char *bytes, size_t len)
{
    int rc = 0;
    while (rc == 0 && len > 0) {
        size_t count = len;
        if (count > CHUNK_BYTES) {
            for (count = CHUNK_BYTES; (bytes[count] & 0xc0) == 0x80; count--) {
            }
        }
        rc = add_inside(letters, json_stringn_nocheck(bytes, count));
        bytes += count;
        len -= count;
    }
    return rc;
}

static int add_base64(struct deadletter *letters, const char *bytes, size_t len)
{
    letters->scrap.len = 0;
    if (buf_reserve(&letters->scrap, BASE64_LENGTH(CHUNK_BYTES)) != 0) {
        return -1;
    }
    int rc = 0;
    while (rc == 0 && len > 0) {
        size_t count = len < CHUNK_BYTES ? len : CHUNK_BYTES;
        base64_encode(letters->scrap.bytes, bytes, count);
        rc = add(letters, letters->scrap.bytes, BASE64_LENGTH(count));
        bytes += count;
        len -= count;
    }
    return rc;
}

static json_t *where(struct deadletter *letters, const struct failure *failure)
{
    const char *input = failure->input->name;
    return json_pack("{s:o, s:I, s:I}", "input", text(letters, input, strlen(input)), "nr",
                     (json_int_t)failure->nr, "offset", (json_int_t)failure->offset);
}

static json_t *number_or_null(bool is, int number)
{
    return is ? json_integer(number) : json_null();
}

static json_t *why(struct deadletter *letters, const struct failure *failure, bool utf8)
{
    const struct cause *cause = failure->cause;
    char time[64];
    struct tm tm;
    size_t len =
        strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", gmtime_r(&failure->time.tv_sec, &tm));
    snprintf(time + len, sizeof(time) - len, ".%03dZ", (int)(failure->time.tv_nsec / 1000000));

    // clang-format off
    json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:f, s:i, s:s}",
                             "encoding", utf8 ? "utf-8" : "base64",
                             "error", error_name(cause->error),
                             "status", number_or_null(cause->status >= 0, cause->status),
                             "signal", number_or_null(cause->signal > 0, cause->signal),
                             "message", text(letters, cause->message, strlen(cause->message)),
                             "stdout", text(letters, cause->out, cause->out_len),
                             "stderr", text(letters, cause->err, cause->err_len),
                             "attempts", (json_int_t)failure->attempts,
                             "seconds", failure->seconds,
                             "priority", failure->priority,
                             "time", time);
    // clang-format on
    if (json != NULL && cause->error == ERROR_TOO_LONG &&
        json_object_set_new(json, "truncated", json_true()) != 0) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static int write_jsonl(struct deadletter *letters, const struct failure *failure)
{
    const char *record = failure->record;
    size_t len = failure->record_len;
    bool utf8 = utf8_valid(record, len) == len;
    if (add(letters, "{", 1) != 0 || add_inside(letters, where(letters, failure)) != 0 ||
        add(letters, ",\"record\":\"", 11) != 0 ||
        (utf8 ? add_utf8 : add_base64)(letters, record, len) != 0 || add(letters, "\",", 2) != 0 ||
        add_inside(letters, why(letters, failure, utf8)) != 0 || add(letters, "}\n", 2) != 0) {
        return -1;
    }
    return flush(letters);
}

static int write_raw(struct deadletter *letters, const struct failure *failure)
{
    if (add(letters, failure->record, failure->record_len) != 0 ||
        add(letters, &letters->delimiter, 1) != 0) {
        return -1;
    }
    return flush(letters);
}

bool deadletter_takes(const struct deadletter *letters, const struct failure *failure)
{
    return letters->file.error == 0 && (letters->format == LETTERS_JSONL || !failure->truncated);
}

int deadletter_write(struct deadletter *letters, const struct failure *failure)
{
    mutex_lock(&letters->mutex);
    int rc = (letters->format == LETTERS_RAW ? write_raw : write_jsonl)(letters, failure);
    if (rc != 0 && letters->file.error == 0) {
        letters->file.error = ENOMEM;
    }
    mutex_unlock(&letters->mutex);
    return rc;
}

bool deadletter_is_stuck(struct deadletter *letters)
{
    if (pthread_mutex_trylock(&letters->mutex) != 0) {
        return true;
    }
    mutex_unlock(&letters->mutex);
    return false;
}
