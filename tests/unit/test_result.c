// SPDX-License-Identifier: BSD-2-Clause
// Output of tasks: what is referred to, what is copied, and that it is the same bytes.

#include "core/records.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (1024 * 1024)

static struct block *make_block(struct block_pool *pool)
{
    struct block *block = block_create(pool, 0);
    block->delimiter = '\n';
    block->len = BLOCK_BYTES;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        block->buf[i] = (char)rand();
    }
    return block;
}

// Keep runs of `run` bytes, leaving out `gap` bytes between them. Is the output those bytes?
static bool keeps(struct emitter *emitter, struct block *block, size_t run, size_t gap,
                  struct result **kept)
{
    char *expected = malloc(BLOCK_BYTES);
    size_t len = 0, off = 0;
    bool same = true;
    struct result *result = result_create(block, 0, block->len);
    for (; off + run <= block->len; off += run + gap) {
        memcpy(expected + len, block->buf + off, run);
        len += run;
        same = same && emitter_keep(emitter, block->buf + off, run) == 0;
    }
    same = same && emitter_finish(emitter, result) == 0;
    size_t at = 0;
    for (size_t i = 0; i < result->iov_count; i++) {
        same = same && at + result->iov[i].iov_len <= len &&
               memcmp(expected + at, result->iov[i].iov_base, result->iov[i].iov_len) == 0;
        at += result->iov[i].iov_len;
    }
    free(expected);
    *kept = result;
    return same && at == len;
}

static void test_emitter(void)
{
    struct block_pool *pool = block_pool_create(BLOCK_BYTES, 1);
    struct block *block = make_block(pool);
    struct emitter emitter;
    struct result *result;
    emitter_init(&emitter);

    OK(keeps(&emitter, block, 100, 30, &result), "short runs are kept");
    OK(!result->refers && result->iov_count == 1, "as one copy, without the block");
    OK(result->own_cap >= result->own_len && result->own_cap <= 2 * result->own_len,
       "in memory that is at most twice as much, and counted");
    result_destroy(result);

    OK(keeps(&emitter, block, 1, 300, &result), "single bytes are kept");
    OK(result->iov_count == 1 && result->own_len < BLOCK_BYTES / 300 + 2, "in fitting memory");
    result_destroy(result);

    OK(keeps(&emitter, block, 10000, 1, &result), "long runs are kept");
    OK(result->refers && result->own_len == 0, "by reference, without a copy");
    result_destroy(result);

    OK(keeps(&emitter, block, BLOCK_BYTES, 0, &result), "the whole block is kept");
    OK(result->refers && result->iov_count == 1, "as one piece");
    result_destroy(result);

    OK(keeps(&emitter, block, 100, 0, &result), "short runs without a gap are kept");
    OK(result->refers && result->iov_count == 1 && result->own_len == 0, "as one long run");
    result_destroy(result);

    OK(keeps(&emitter, block, BLOCK_BYTES + 1, 0, &result), "nothing is kept");
    OK(!result->refers && result->iov_count == 0 && result->own == NULL, "without any memory");
    result_destroy(result);

    // Short and long runs in turn: the copies of several emissions must not be mixed up.
    bool same = true;
    for (size_t i = 1; i < 8; i++) {
        same = same && keeps(&emitter, block, 500 * i * i, 7, &result);
        result_destroy(result);
    }
    OK(same, "an emitter can be used again and again");
    emitter_destroy(&emitter);
    block_destroy(pool, block);
    block_pool_destroy(pool);
}

static void test_mixed(void)
{
    struct block_pool *pool = block_pool_create(BLOCK_BYTES, 1);
    struct block *block = make_block(pool);
    struct result *result = result_create(block, 0, block->len);
    struct emitter emitter;
    emitter_init(&emitter);
    bool kept = emitter_keep(&emitter, block->buf, 3) == 0 &&
                emitter_keep(&emitter, block->buf + 10, 8000) == 0 &&
                emitter_keep(&emitter, block->buf + 9000, 4) == 0 &&
                emitter_keep(&emitter, block->buf + 9010, 5) == 0 &&
                emitter_finish(&emitter, result) == 0;
    OK(kept && result->iov_count == 3 && result->own_len == 12, "copies and references mix");
    OK(kept && memcmp(result->iov[0].iov_base, block->buf, 3) == 0 &&
           result->iov[1].iov_base == block->buf + 10 &&
           memcmp(result->iov[2].iov_base, block->buf + 9000, 4) == 0 &&
           memcmp((char *)result->iov[2].iov_base + 4, block->buf + 9010, 5) == 0,
       "in the order in which they were emitted");
    emitter_destroy(&emitter);
    result_destroy(result);
    block_destroy(pool, block);
    block_pool_destroy(pool);
}

static void test_failures(void)
{
    static char bytes[] = "aa\nbbb\n";
    struct block block = {.delimiter = '\n', .buf = bytes, .len = 7, .offset = 1000};
    struct result *result = result_create(&block, 3, 4);
    struct cause *cause = cause_create(ERROR_REGEX, "message %d", 1);
    result_fail(result, 3, result_bytes(result), 3, cause);
    const struct failure *failure = result->failures;
    OK(failure->nr == 3 && strcmp(failure->cause->message, "message 1") == 0 &&
           failure->offset == 1003 && failure->attempts == 1,
       "a failure knows the record's number and place, why it failed and how often it was tried");
    OK(failure->record == NULL && !failure->truncated, "the record itself is not kept");

    block.keep_failed = true;
    result_fail(result, 5, result_bytes(result), 3, cause);
    cause_unref(cause);
    failure = failure->next;
    OK(failure->nr == 5 && failure->next == NULL && failure->cause == cause,
       "failures are in order, and share a cause that outlives its maker");
    OK(failure->record_len == 3 && memcmp(failure->record, "bbb", 3) == 0,
       "the record is kept if that is wanted");
    OK(result->tally.failed == 2, "they are counted");
    result_clear(result);
    OK(result->failures == NULL && result->tally.failed == 0, "and gone when the task runs again");
    result_destroy(result);
}

static void test_truncated(void)
{
    static char bytes[] = "head";
    struct block block = {
        .delimiter = '\n', .buf = bytes, .len = 4, .oversize = 100, .keep_failed = true};
    struct result *result = result_create(&block, 0, 4);
    struct cause *cause = cause_create(ERROR_TOO_LONG, "too long");
    result_fail(result, 0, bytes, 4, cause);
    cause_unref(cause);
    OK(result->failures->truncated && result->failures->attempts == 0,
       "of a record that is too long a part is kept, and nothing was tried");
    result_destroy(result);
}

static void test_causes(void)
{
    struct cause *exited = cause_create(ERROR_EXIT, "status 1");
    struct cause *again = cause_create(ERROR_EXIT, "another message");
    struct cause *killed = cause_create(ERROR_SIGNAL, "signal 9");
    OK(exited->status == -1 && exited->signal == 0, "a cause has no status and no signal at first");
    exited->status = again->status = 1;
    killed->signal = 9;
    OK(cause_alike(exited, again) && !cause_alike(exited, killed),
       "causes are alike whatever their messages are");
    again->status = 2;
    OK(!cause_alike(exited, again), "but not with another status");
    cause_unref(exited);
    cause_unref(again);
    cause_unref(killed);

    static const struct {
        enum error error;
        const char *name;
    } names[] = {
        {ERROR_EXIT, "exit"},     {ERROR_SIGNAL, "signal"},     {ERROR_TIMEOUT, "timeout"},
        {ERROR_SPAWN, "spawn"},   {ERROR_CRASH, "crash"},       {ERROR_REGEX, "regex"},
        {ERROR_PLUGIN, "plugin"}, {ERROR_TOO_LONG, "too-long"}, {ERROR_PROTOCOL, "protocol"},
    };
    bool right = true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        right = right && strcmp(error_name(names[i].error), names[i].name) == 0;
    }
    OK(right, "reasons have the names of dead letters");
}

static size_t count_slowly(const char *bytes, size_t len, char delimiter)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += bytes[i] == delimiter || (i == len - 1);
    }
    return count;
}

static void test_count(void)
{
    static char bytes[100000];
    bool same = true;
    for (size_t len = 0; len < 200; len++) {
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)(rand() % 3 == 0 ? '\n' : rand() % 256);
        }
        same = same && records_count(bytes, len, '\n') == count_slowly(bytes, len, '\n');
    }
    memset(bytes, '\n', sizeof(bytes));
    same = same && records_count(bytes, sizeof(bytes), '\n') == sizeof(bytes);
    memset(bytes, '\xff', sizeof(bytes));
    same = same && records_count(bytes, sizeof(bytes), '\xff') == sizeof(bytes);
    same = same && records_count(bytes, sizeof(bytes), '\n') == 1;
    OK(same, "records are counted as a plain loop does, whatever the length and the delimiter");
}

static bool emit_own(struct emitter *emitter, const char *text)
{
    bool appended = buf_append(emitter_open(emitter), text, strlen(text)) == 0;
    emitter_commit(emitter);
    return appended;
}

static void test_emitter_own(void)
{
    struct block block = {.delimiter = '\n'};
    struct result *result = result_create(&block, 0, 0);
    struct emitter emitter;
    emitter_init(&emitter);

    bool done = emitter_keep(&emitter, "ab", 2) == 0 && emit_own(&emitter, "cd") &&
                buf_append(emitter_open(&emitter), "no", 2) == 0;
    emitter_revert(&emitter);
    done = done && emitter_keep(&emitter, "ef", 2) == 0 && emitter_finish(&emitter, result) == 0;
    OK(done && result->iov_count == 1 && result->own_len == 6 &&
           memcmp(result->own, "abcdef", 6) == 0,
       "bytes that were made are emitted between those that are kept, or forgotten");
    result_destroy(result);

    result = result_create(&block, 0, 0);
    emitter.unterminated = true;
    OK(emitter_finish(&emitter, result) == 0 && result->iov_count == 0 && result->unterminated &&
           !emitter.unterminated,
       "an empty record may lack its delimiter");
    result_clear(result);
    OK(!result->unterminated, "until the next attempt");

    emitter.discard = true;
    OK(emitter_keep(&emitter, "ab", 2) == 0 && emit_own(&emitter, "cd") &&
           emitter_finish(&emitter, result) == 0 && result->iov_count == 0 && result->own == NULL,
       "what is discarded takes no memory");
    result_destroy(result);
    emitter_destroy(&emitter);
}

int main(void)
{
    srand(1);
    test_emitter();
    test_emitter_own();
    test_mixed();
    test_failures();
    test_truncated();
    test_causes();
    test_count();
    return tap_done();
}
