// SPDX-License-Identifier: BSD-2-Clause
// What a forked worker that lost its mind may have left: it is refused, or makes a result that
// refers to nothing but the task and what is its own.

#include "fuzz.h"

#include "run/frame.h"

#include <stdlib.h>
#include <string.h>

static char text[] = "aa\nbbb\ncccc\nd\n";

// A number that is small, or not.
static size_t number(struct feed *feed)
{
    size_t small = feed_byte(feed);
    return small < 0xf0 ? small : SIZE_MAX / (small - 0xee);
}

static void check_result(const struct result *result)
{
    size_t own = 0;
    for (size_t i = 0; i < result->iov_count; i++) {
        const char *base = result->iov[i].iov_base;
        size_t len = result->iov[i].iov_len;
        bool refers = base >= text && base < text + sizeof(text);
        MUST(base != NULL && len > 0);
        MUST(!refers || len <= (size_t)(text + result->task.len - base));
        MUST(refers || (base == result->own + own && len <= result->own_len - own));
        own += refers ? 0 : len;
    }
    MUST(own == result->own_len);
    uint64_t failures = 0;
    for (const struct failure *failure = result->failures; failure != NULL;
         failure = failure->next) {
        MUST(failure->offset < result->task.len && error_name(failure->cause->error) != NULL);
        failures++;
    }
    MUST(failures == result->tally.failed);
}

void fuzz_frame(const unsigned char *data, size_t size)
{
    static const struct input input = {.name = "input"};
    struct feed feed = {data, size};
    struct block block = {
        .input = &input, .buf = text, .len = strlen(text), .cap = strlen(text), .delimiter = '\n'};
    const struct answer_frame frame = {
        .kind = ANSWER_RESULT,
        .piece_count = number(&feed),
        .failure_count = number(&feed),
        .failure_bytes = number(&feed),
        .own_len = number(&feed),
        .tally = {.records = number(&feed),
                  .emitted = number(&feed),
                  .dropped = number(&feed),
                  .failed = number(&feed)},
        .retriable = feed_byte(&feed) % 2 == 1,
    };
    struct retriable retriable = {0};
    struct result *result = result_create(&block, 0, block.len);
    char *bytes = malloc(feed.len + 1);
    MUST(result != NULL && bytes != NULL);
    memcpy(bytes, feed.bytes, feed.len);
    const struct area area = {.fd = -1, .bytes = bytes, .size = feed.len};
    int status = frame_unpack_result(&frame, &area, result, &retriable);
    if (status == 0) {
        check_result(result);
        MUST(!frame.retriable || retriable.off + retriable.len <= result->task.len);
    }
    cause_unref(retriable.cause);
    result_destroy(result);
    free(bytes);
}
