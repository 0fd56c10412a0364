// SPDX-License-Identifier: BSD-2-Clause
// What tasks give: output that refers to the block where it can, and failures.

#include "core/result.h"

#include "core/records.h"

#include <stdlib.h>
#include <string.h>

// A run of at least this many bytes is referred to, a shorter one copied: a piece costs the writer
// about as much as copying this much would.
#define REFER_BYTES 4096

// Above this the memory of the emitter is handed over, instead of copied into a fitting one.
#define COPY_BYTES ((size_t)32 * 1024)

// Memory for output has few sizes, so that what one result gives back fits the next. Else the small
// things between keep the free parts from becoming whole, and they add up.
#define COPY_UNIT ((size_t)4096)

// Memory that is got at once for the next task is not more than this.
#define USUAL_MAX ((size_t)1024 * 1024)

struct result *result_create(struct block *block, size_t off, size_t len)
{
    struct result *result = calloc(1, sizeof(*result));
    if (result != NULL) {
        result->task = (struct task){.block = block, .off = off, .len = len};
    }
    return result;
}

void result_drop_own(struct result *result)
{
    if (result->own_pool != NULL) {
        block_pool_give(result->own_pool, result->own);
    } else {
        free(result->own);
    }
    result->own = NULL;
    result->own_pool = NULL;
}

void result_drop_bytes(struct result *result)
{
    result_drop_own(result);
    free(result->iov);
    free(result->extents);
    result->iov = NULL;
    result->extents = NULL;
    result->iov_count = result->own_len = result->own_cap = result->extent_count = 0;
    result->refers = result->unterminated = false;
}

void result_drop_output(struct result *result)
{
    result_drop_bytes(result);
    free(result->tags);
    result->tags = NULL;
    result->tags_len = 0;
}

void result_clear(struct result *result)
{
    failures_destroy(result->failures);
    result->failures = result->failures_last = NULL;
    result->failure_bytes = 0;
    result_drop_output(result);
    result->tally = (struct tally){0};
}

void result_pass(struct result *from, struct result *to)
{
    to->iov = from->iov;
    to->iov_count = from->iov_count;
    to->own = from->own;
    to->own_len = from->own_len;
    to->own_cap = from->own_cap;
    to->own_pool = from->own_pool;
    to->refers = from->refers;
    to->unterminated = from->unterminated;
    to->tally = from->tally;
    to->failures = from->failures;
    to->failures_last = from->failures_last;
    to->failure_bytes = from->failure_bytes;
    from->iov = NULL;
    from->own = NULL;
    from->own_pool = NULL;
    from->failures = NULL;
    result_clear(from);
}

void result_move(struct result *result, const char *bytes)
{
    const char *now = result_bytes(result);
    for (size_t i = 0; i < result->iov_count && now != bytes; i++) {
        const char *base = result->iov[i].iov_base;
        if (base >= bytes && base < bytes + result->task.len) {
            result->iov[i].iov_base = (char *)now + (base - bytes);
        }
    }
}

int result_give(struct result *result, struct buf *bytes)
{
    struct iovec *iov = malloc(sizeof(*iov));
    if (iov == NULL) {
        return -1;
    }
    *iov = (struct iovec){.iov_base = bytes->bytes, .iov_len = bytes->len};
    result->iov = iov;
    result->iov_count = 1;
    result->own = bytes->bytes;
    result->own_len = bytes->len;
    result->own_cap = bytes->cap;
    *bytes = (struct buf){0};
    return 0;
}

int result_tag(struct result *result, struct iovec tags)
{
    if (tags.iov_len == 0) {
        return 0;
    }
    result->tags = malloc(tags.iov_len);
    if (result->tags == NULL) {
        return -1;
    }
    memcpy(result->tags, tags.iov_base, tags.iov_len);
    result->tags_len = tags.iov_len;
    return 0;
}

void result_destroy(struct result *result)
{
    if (result != NULL) {
        result_clear(result);
        free(result->task.copy);
        cause_unref(result->task.doom);
        free(result);
    }
}

int result_fail(struct result *result, uint64_t index, const char *record, size_t len,
                struct cause *cause)
{
    struct failure *failure = calloc(1, sizeof(*failure));
    if (failure == NULL) {
        return -1;
    }
    const struct task *task = &result->task;
    const struct block *block = task->block;
    size_t off = task->off + (size_t)(record - result_bytes(result));
    const struct origin *origin = records_origin(block, off);
    failure->cause = cause_ref(cause);
    failure->input = block->input;
    failure->nr = index;
    failure->offset = block->offset + off;
    if (origin != NULL) {
        failure->placed = true;
        failure->input = origin->input;
        failure->nr = origin->nr;
        failure->offset = origin->offset;
    }
    failure->truncated = block->oversize > len;
    failure->priority = records_level(block, off);
    bool was_run =
        block->oversize == 0 && cause != task->doom; // nothing runs on a part of a record
    failure->attempts = was_run ? task->attempts + 1 : 0;
    if (block->keep_failed) {
        failure->record = malloc(len + 1); // never of no bytes
        if (failure->record == NULL) {
            failure_destroy(failure);
            return -1;
        }
        memcpy(failure->record, record, len);
        failure->record_len = len;
    }

    const struct failure *last = result->failures_last;
    result->failure_bytes += sizeof(*failure) + failure->record_len;
    if (last == NULL || last->cause != cause) {
        result->failure_bytes += cause_bytes(cause); // which the next ones may share
    }
    if (last == NULL) {
        result->failures = failure;
    } else {
        result->failures_last->next = failure;
    }
    result->failures_last = failure;
    result->tally.failed++;
    return 0;
}

int result_fail_all(struct result *result, struct cause *cause)
{
    struct records records = records_of(result);
    struct record record;
    while (records_next(&records, &record)) {
        if (result_fail(result, result->tally.records, record.bytes, record.len, cause) != 0) {
            return -1;
        }
        result->tally.records++;
    }
    return 0;
}

void result_stamp(struct result *result, struct timespec now, double seconds)
{
    for (struct failure *failure = result->failures; failure != NULL; failure = failure->next) {
        if (failure->time.tv_sec == 0) {
            failure->time = now;
            failure->seconds = seconds;
        }
    }
}

void emitter_init(struct emitter *emitter)
{
    *emitter = (struct emitter){0};
}

void emitter_destroy(struct emitter *emitter)
{
    free(emitter->iov);
    buf_free(&emitter->own);
}

// Add a piece to the output. base NULL: bytes of `own`.
static int add_piece(struct emitter *emitter, const char *base, size_t len)
{
    if (emitter->iov_count == emitter->iov_cap) {
        size_t cap = emitter->iov_cap > 0 ? 2 * emitter->iov_cap : 16;
        struct iovec *iov = realloc(emitter->iov, cap * sizeof(*iov));
        if (iov == NULL) {
            return -1;
        }
        emitter->iov = iov;
        emitter->iov_cap = cap;
    }
    emitter->iov[emitter->iov_count++] = (struct iovec){.iov_base = (char *)base, .iov_len = len};
    return 0;
}

// Make one piece of all own bytes since the last one.
static int add_own_piece(struct emitter *emitter)
{
    size_t len = emitter->own_emitted - emitter->own_pieced;
    emitter->own_pieced = emitter->own_emitted;
    return len > 0 ? add_piece(emitter, NULL, len) : 0;
}

int emitter_flush(struct emitter *emitter)
{
    const char *bytes = emitter->kept;
    size_t len = emitter->discard ? 0 : (size_t)(emitter->kept_end - bytes);
    emitter->kept = emitter->kept_end;
    if (len >= REFER_BYTES) {
        if (add_own_piece(emitter) != 0 || add_piece(emitter, bytes, len) != 0) {
            return -1;
        }
        len = 0;
    }
    // The first room is at once as large as it will have to be.
    size_t room = emitter->own.cap == 0 && emitter->usual > len ? emitter->usual : len;
    if (buf_reserve(&emitter->own, room) != 0 || buf_append(&emitter->own, bytes, len) != 0) {
        return -1;
    }
    emitter_commit(emitter);
    return 0;
}

void emitter_clear(struct emitter *emitter)
{
    emitter->kept = emitter->kept_end = NULL;
    emitter->iov_count = 0;
    emitter->own.len = emitter->own_emitted = emitter->own_pieced = 0;
    emitter->unterminated = false;
}

// The bytes of the emitter, in memory of at most twice the size. NULL: no memory.
static char *emitter_own(struct emitter *emitter, size_t *cap)
{
    struct buf *own = &emitter->own;
    char *bytes = own->bytes;
    if (own->len > COPY_BYTES && own->len >= own->cap / 2) {
        *cap = own->cap;
        emitter->usual = own->cap < USUAL_MAX ? own->cap : USUAL_MAX;
        *own = (struct buf){.len = own->len};
        return bytes;
    }
    *cap = (own->len + COPY_UNIT - 1) / COPY_UNIT * COPY_UNIT;
    bytes = malloc(*cap);
    if (bytes != NULL) {
        memcpy(bytes, own->bytes, own->len);
    }
    return bytes;
}

int emitter_finish(struct emitter *emitter, struct result *result)
{
    if (emitter_flush(emitter) != 0 || add_own_piece(emitter) != 0) {
        return -1;
    }
    if (emitter->iov_count == 0) {
        result->unterminated = emitter->unterminated;
        emitter_clear(emitter);
        return 0;
    }
    struct iovec *iov = malloc(emitter->iov_count * sizeof(*iov));
    size_t cap = 0;
    char *own = emitter->own.len > 0 ? emitter_own(emitter, &cap) : NULL;
    if (iov == NULL || (own == NULL && emitter->own.len > 0)) {
        free(iov);
        free(own);
        return -1;
    }

    size_t used = 0;
    for (size_t i = 0; i < emitter->iov_count; i++) {
        iov[i] = emitter->iov[i];
        if (iov[i].iov_base == NULL) {
            iov[i].iov_base = own + used;
            used += iov[i].iov_len;
        } else {
            result->refers = true;
        }
    }
    result->iov = iov;
    result->iov_count = emitter->iov_count;
    result->own = own;
    result->own_len = emitter->own.len;
    result->own_cap = cap;
    result->unterminated = emitter->unterminated;
    emitter_clear(emitter);
    return 0;
}
