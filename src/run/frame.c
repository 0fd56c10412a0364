// SPDX-License-Identifier: BSD-2-Clause
// Tasks and results as bytes in memory that two processes share.

#include "run/frame.h"

#include "core/records.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

// Where a record of the task was read first.
struct packed_origin {
    uint64_t nr;
    size_t input; // place of the name
};

// Some of the output: bytes of the task, or the next ones of `own`.
struct packed_piece {
    size_t off; // in the task; OWN_BYTES: they are own ones
    size_t len;
};

#define OWN_BYTES SIZE_MAX

// A failure, with its message behind it.
struct packed_failure {
    uint64_t index;
    size_t off;     // of its record in the task
    unsigned error; // an enum error
    int status, signal;
    unsigned message_len;
    unsigned same_cause; // as the one before, and no message; else 0
};

// Places where these things can be.
static size_t align(size_t place)
{
    size_t unit = alignof(max_align_t);
    return (place + unit - 1) / unit * unit;
}

// Writes one thing behind the other; the area has room.
struct pen {
    char *bytes;
    size_t used;
};

// Returns where it is.
static size_t put(struct pen *pen, const void *bytes, size_t len)
{
    size_t place = pen->used;
    if (len > 0) {
        memcpy(pen->bytes + place, bytes, len);
    }
    pen->used += len;
    return place;
}

// --- tasks

// Of the first record of the task in the index of its block.
static size_t first_end(const struct result *task)
{
    return (size_t)(records_of(task).ends - task->task.block->ends);
}

static size_t count_ends(const struct result *task)
{
    return task->task.block->ends != NULL ? (size_t)records_in_task(task) : 0;
}

// Bytes of the names that the origins of the task need, one after another being the same once.
static size_t measure_names(const struct origin *origins, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || origins[i].input != origins[i - 1].input) {
            bytes += strlen(origins[i].input->name) + 1;
        }
    }
    return bytes;
}

static void put_index(struct pen *pen, struct task_frame *frame, const struct result *task)
{
    const struct block *block = task->task.block;
    size_t first = first_end(task);
    frame->ends = pen->used;
    for (size_t i = 0; i < frame->end_count; i++) {
        size_t end = block->ends[first + i] - task->task.off;
        put(pen, &end, sizeof(end));
    }
    pen->used = align(pen->used);
    if (block->origins == NULL) {
        return;
    }
    const struct origin *origins = block->origins + first;
    struct pen names = {pen->bytes, pen->used + frame->end_count * sizeof(struct packed_origin)};
    struct packed_origin packed = {0};
    frame->origins = pen->used;
    for (size_t i = 0; i < frame->end_count; i++) {
        if (i == 0 || origins[i].input != origins[i - 1].input) {
            const char *name = origins[i].input->name;
            packed.input = put(&names, name, strlen(name) + 1);
        }
        packed.nr = origins[i].nr;
        put(pen, &packed, sizeof(packed));
    }
    pen->used = names.used;
}

int frame_pack_task(struct task_frame *frame, struct area *area, const struct result *task,
                    struct iovec blocks, struct iovec header)
{
    const struct block *block = task->task.block;
    const char *bytes = result_bytes(task), *memory = blocks.iov_base;
    *frame = (struct task_frame){
        .in_blocks = bytes >= memory && bytes < memory + blocks.iov_len,
        .len = task->task.len,
        .end_count = count_ends(task),
        .header_len = header.iov_len,
        .first_seq = block->first_seq,
        .first_nr = block->first_nr,
        .index = task->task.index,
        .oversize = block->oversize,
        .attempts = task->task.attempts,
        .delimiter = block->delimiter,
    };
    size_t indexed = sizeof(size_t) + sizeof(struct packed_origin);
    size_t names = block->origins != NULL && frame->end_count > 0
                       ? measure_names(block->origins + first_end(task), frame->end_count)
                       : 0;
    const char *name = block->input->name;
    size_t need = 2 * align(1) + frame->end_count * indexed + names + strlen(name) + 1 +
                  header.iov_len + (frame->in_blocks ? 0 : frame->len);
    if (area_reserve(area, need) != 0) {
        return -1;
    }
    struct pen pen = {.bytes = area->bytes, .used = align(1)}; // place 0 is none
    if (frame->end_count > 0) {
        put_index(&pen, frame, task);
    }
    frame->input = put(&pen, name, strlen(name) + 1);
    frame->header = put(&pen, header.iov_base, header.iov_len);
    frame->bytes = frame->in_blocks ? (size_t)(bytes - memory) : put(&pen, bytes, frame->len);
    frame->task_area = area->size;
    return 0;
}

// Returns 0, or -1 without memory.
static int unpack_origins(struct unpacked_task *task, const struct task_frame *frame,
                          const struct area *area)
{
    const struct packed_origin *packed = (const void *)(area->bytes + frame->origins);
    task->inputs = calloc(frame->end_count, sizeof(*task->inputs));
    task->block.origins = calloc(frame->end_count, sizeof(*task->block.origins));
    if (task->inputs == NULL || task->block.origins == NULL) {
        return -1;
    }
    for (size_t i = 0; i < frame->end_count; i++) {
        task->inputs[i].name = area->bytes + packed[i].input;
        task->block.origins[i] = (struct origin){
            .input = &task->inputs[i],
            .nr = packed[i].nr,
            .offset = i > 0 ? task->block.ends[i - 1] : 0, // see put_failures()
        };
    }
    return 0;
}

int frame_unpack_task(struct unpacked_task *task, const struct task_frame *frame,
                      const struct area *area, struct iovec blocks)
{
    const char *memory = frame->in_blocks ? blocks.iov_base : area->bytes;
    *task = (struct unpacked_task){
        .input = {.name = area->bytes + frame->input},
        .block =
            {
                .buf = (char *)memory + frame->bytes,
                .len = frame->len,
                .cap = frame->len,
                .first_seq = frame->first_seq,
                .first_nr = frame->first_nr,
                .oversize = frame->oversize,
                .delimiter = frame->delimiter,
                .ends = frame->end_count > 0 ? (size_t *)(void *)(area->bytes + frame->ends) : NULL,
                .end_count = frame->end_count,
            },
    };
    task->block.input = &task->input;
    if (frame->origins > 0 && frame->end_count > 0 && unpack_origins(task, frame, area) != 0) {
        return -1;
    }
    task->result = result_create(&task->block, 0, frame->len);
    if (task->result == NULL) {
        return -1;
    }
    task->result->task.index = frame->index;
    task->result->task.attempts = frame->attempts;
    return 0;
}

void unpacked_task_clear(struct unpacked_task *task)
{
    result_destroy(task->result);
    free(task->block.origins);
    free(task->inputs);
}

// --- results

static size_t measure_cause(const struct cause *cause)
{
    return sizeof(struct packed_failure) + align(strlen(cause->message));
}

static size_t measure_failures(const struct result *result, size_t *count)
{
    size_t bytes = 0;
    *count = 0;
    for (const struct failure *failure = result->failures; failure != NULL;
         failure = failure->next) {
        bytes += measure_cause(failure->cause); // or less, if it is that of the one before
        (*count)++;
    }
    return bytes;
}

// `before` is the cause of the one before, or NULL.
static void put_failure(struct pen *pen, uint64_t index, size_t off, const struct cause *cause,
                        const struct cause *before)
{
    bool same = before != NULL && cause == before;
    struct packed_failure packed = {
        .index = index,
        .off = off,
        .error = cause->error,
        .status = cause->status,
        .signal = cause->signal,
        .message_len = same ? 0 : (unsigned)strlen(cause->message),
        .same_cause = same,
    };
    put(pen, &packed, sizeof(packed));
    size_t place = put(pen, cause->message, packed.message_len);
    pen->used = place + align(packed.message_len);
}

// The block of the task begins with it, so their offsets are those in the task.
static void put_failures(struct pen *pen, const struct result *result)
{
    const struct cause *before = NULL;
    for (const struct failure *failure = result->failures; failure != NULL;
         failure = failure->next) {
        put_failure(pen, failure->nr, (size_t)failure->offset, failure->cause, before);
        before = failure->cause;
    }
}

int frame_pack_result(struct answer_frame *frame, struct area *area, const struct result *result,
                      const struct retriable *retriable)
{
    *frame = (struct answer_frame){
        .kind = ANSWER_RESULT,
        .piece_count = result->iov_count,
        .own_len = result->own_len,
        .tally = result->tally,
        .unterminated = result->unterminated,
        .retriable = retriable != NULL,
    };
    size_t need = measure_failures(result, &frame->failure_count) + frame->own_len +
                  frame->piece_count * sizeof(struct packed_piece) +
                  (retriable != NULL ? measure_cause(retriable->cause) : 0);
    if (area_reserve(area, need) != 0) {
        return -1;
    }
    struct pen pen = {.bytes = area->bytes};
    const char *bytes = result_bytes(result), *end = bytes + result->task.len;
    for (size_t i = 0; i < frame->piece_count; i++) {
        const char *base = result->iov[i].iov_base;
        struct packed_piece piece = {
            .off = base >= bytes && base < end ? (size_t)(base - bytes) : OWN_BYTES,
            .len = result->iov[i].iov_len,
        };
        put(&pen, &piece, sizeof(piece));
    }
    size_t failures = pen.used;
    put_failures(&pen, result);
    if (retriable != NULL) {
        put_failure(&pen, 0, retriable->off, retriable->cause, NULL);
    }
    frame->failure_bytes = pen.used - failures;
    put(&pen, result->own, result->own_len);
    frame->result_area = area->size;
    return 0;
}

// What is left of the area to be read.
struct rest {
    const char *bytes;
    size_t len;
};

// The next `len` bytes, or NULL if there are less.
static const void *take(struct rest *rest, size_t len)
{
    const char *bytes = rest->bytes;
    if (len > rest->len) {
        return NULL;
    }
    rest->bytes += len;
    rest->len -= len;
    return bytes;
}

// As frame_unpack_result().
static int take_pieces(const struct answer_frame *frame, struct rest *rest, struct result *result)
{
    if (frame->piece_count == 0) {
        return frame->own_len == 0 ? 0 : 1;
    }
    size_t count = frame->piece_count, most = rest->len / sizeof(struct packed_piece);
    const struct packed_piece *pieces = count <= most ? take(rest, count * sizeof(*pieces)) : NULL;
    if (pieces == NULL) {
        return 1;
    }
    result->iov = calloc(frame->piece_count, sizeof(*result->iov));
    if (result->iov == NULL) {
        return -1;
    }
    size_t len = result->task.len, own = 0;
    for (size_t i = 0; i < frame->piece_count; i++) {
        struct packed_piece piece = pieces[i];
        struct iovec *iov = &result->iov[i];
        bool is_own = piece.off == OWN_BYTES;
        size_t room = is_own ? frame->own_len - own : piece.off < len ? len - piece.off : 0;
        if (piece.len == 0 || piece.len > room) {
            return 1;
        }
        iov->iov_len = piece.len;
        iov->iov_base = is_own ? NULL : (char *)result_bytes(result) + piece.off;
        own += is_own ? piece.len : 0;
        result->refers |= !is_own;
    }
    result->iov_count = frame->piece_count;
    return own == frame->own_len ? 0 : 1;
}

// The record of the task that begins at byte `off`.
static struct record record_at(const struct result *result, size_t off)
{
    const char *bytes = result_bytes(result) + off, *end = result_bytes(result) + result->task.len;
    struct record record = {.bytes = bytes, .len = (size_t)(end - bytes), .next = end};
    if (result->task.block->oversize == 0) {
        struct records records = records_between(result, bytes, end);
        (void)records_next(&records, &record); // there is one
    }
    return record;
}

// The next failure. *cause is that of the one before, or NULL, and then its own: the caller's.
static int take_failure(struct rest *rest, const struct result *result,
                        struct packed_failure *failure, struct cause **cause)
{
    const void *bytes = take(rest, sizeof(*failure));
    if (bytes == NULL) {
        return 1;
    }
    memcpy(failure, bytes, sizeof(*failure));
    const char *message = take(rest, align(failure->message_len));
    if (message == NULL || failure->off >= result->task.len || failure->error > ERROR_PROTOCOL ||
        (failure->same_cause && *cause == NULL)) {
        return 1;
    }
    if (failure->same_cause) {
        return 0;
    }
    cause_unref(*cause);
    *cause = cause_create((enum error)failure->error, "%.*s",
                          (int)strnlen(message, failure->message_len), message);
    if (*cause == NULL) {
        return -1;
    }
    (*cause)->status = failure->status;
    (*cause)->signal = failure->signal;
    return 0;
}

// As frame_unpack_result().
static int take_failures(const struct answer_frame *frame, struct rest *rest, struct result *result,
                         struct retriable *retriable)
{
    struct packed_failure failure;
    struct cause *cause = NULL;
    struct rest failures = {rest->bytes, frame->failure_bytes};
    int status = take(rest, frame->failure_bytes) != NULL ? 0 : 1;
    for (size_t i = 0; i < frame->failure_count && status == 0; i++) {
        status = take_failure(&failures, result, &failure, &cause);
        if (status == 0) {
            struct record record = record_at(result, failure.off);
            status = result_fail(result, failure.index, record.bytes, record.len, cause);
        }
    }
    if (frame->retriable && status == 0) {
        status = take_failure(&failures, result, &failure, &cause);
    }
    if (frame->retriable && status == 0) {
        struct record record = record_at(result, failure.off);
        cause_unref(retriable->cause);
        *retriable = (struct retriable){.off = failure.off,
                                        .len = (size_t)(record.next - record.bytes),
                                        .cause = cause_ref(cause)};
    }
    cause_unref(cause);
    return status;
}

// Copy the own bytes, and let the pieces refer to them.
static int take_own(const struct answer_frame *frame, struct rest *rest, struct result *result)
{
    if (frame->own_len == 0) {
        return 0;
    }
    const char *bytes = take(rest, frame->own_len);
    if (bytes == NULL) {
        return 1;
    }
    char *own = result->own = malloc(frame->own_len);
    if (own == NULL) {
        return -1;
    }
    memcpy(own, bytes, frame->own_len);
    result->own_len = frame->own_len;
    for (size_t i = 0; i < result->iov_count; i++) {
        struct iovec *iov = &result->iov[i];
        if (iov->iov_base == NULL) {
            iov->iov_base = own;
            own += iov->iov_len;
        }
    }
    return 0;
}

int frame_unpack_result(const struct answer_frame *frame, const struct area *area,
                        struct result *result, struct retriable *retriable)
{
    struct rest rest = {area->bytes, area->size};
    const struct tally *tally = &frame->tally;
    if (tally->failed != frame->failure_count ||
        tally->records != tally->emitted + tally->dropped + tally->failed) {
        return 1;
    }
    int status = take_pieces(frame, &rest, result);
    status = status == 0 ? take_failures(frame, &rest, result, retriable) : status;
    status = status == 0 ? take_own(frame, &rest, result) : status;
    result->tally = *tally;
    result->unterminated = frame->unterminated != 0;
    return status;
}
