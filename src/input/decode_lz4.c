// SPDX-License-Identifier: BSD-2-Clause
// lz4 frames.
//
// When LZ4F_decompress() meets damage it does not say what it has written before in that call. So a
// call never gets more than one block, and the header of the next one is a call of its own; nor
// does a call that has to deliver what is held back get anything new.

#include "input/decoder.h"
#include "input/members.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_HEADER_BYTES 4

struct lz4_frame {
    struct member member;
    LZ4F_dctx *context;
    size_t wanted; // bytes up to the end of a block and of the header of the next one
    bool full;     // all room for output was used: there may be more to deliver
};

static int lz4_begin(struct member *member)
{
    struct lz4_frame *frame = (struct lz4_frame *)member;
    LZ4F_resetDecompressionContext(frame->context);
    frame->wanted = BLOCK_HEADER_BYTES; // as long as the magic number
    frame->full = false;
    return 0;
}

static size_t next_piece(const struct lz4_frame *frame, size_t len)
{
    size_t piece = frame->wanted;
    if (frame->full) {
        return 0;
    }
    if (piece > BLOCK_HEADER_BYTES) {
        piece -= BLOCK_HEADER_BYTES;
    }
    return piece < len ? piece : len;
}

static const char *explain(size_t error)
{
    const char *name = LZ4F_getErrorName(error); // the number behind it is not for us
    if (strcmp(name, "ERROR_allocation_failed") == 0) {
        return "there is no memory to decode the lz4 data";
    }
    return "the lz4 data is damaged, or its checksum is wrong";
}

static enum decode_status lz4_decode(struct member *member, struct decode_buffers *buffers,
                                     const char **problem)
{
    struct lz4_frame *frame = (struct lz4_frame *)member;
    while (buffers->in_len > 0 || frame->full) {
        size_t in = next_piece(frame, buffers->in_len), out = buffers->out_len;
        size_t wanted = LZ4F_decompress(frame->context, buffers->out, &out, buffers->in, &in, NULL);
        if (LZ4F_isError(wanted)) {
            *problem = explain(wanted);
            return DECODE_DAMAGED;
        }
        buffers->in += in;
        buffers->in_len -= in;
        buffers->out += out;
        buffers->out_len -= out;
        if (wanted == 0) {
            return DECODE_END;
        }
        frame->wanted = wanted;
        frame->full = out > 0 && buffers->out_len == 0;
        if (frame->full) {
            break;
        }
    }
    return DECODE_MORE;
}

static void lz4_destroy(struct member *member)
{
    struct lz4_frame *frame = (struct lz4_frame *)member;
    (void)LZ4F_freeDecompressionContext(frame->context);
    free(frame);
}

static struct member *lz4_create(void)
{
    struct lz4_frame *frame = calloc(1, sizeof(*frame));
    if (frame == NULL) {
        return NULL;
    }
    frame->member =
        (struct member){.begin = lz4_begin, .decode = lz4_decode, .destroy = lz4_destroy};
    if (LZ4F_isError(LZ4F_createDecompressionContext(&frame->context, LZ4F_VERSION))) {
        free(frame);
        return NULL;
    }
    return (struct member *)frame;
}

// A frame, or one to be skipped.
static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {0x04, 0x22, 0x4d, 0x18};
    static const unsigned char skip[] = {0x50, 0x2a, 0x4d, 0x18};
    bool skipped = (begin[0] & 0xf0) == skip[0];
    return len == 1 ? skipped || begin[0] == magic[0]
                    : begin[len - 1] == (skipped ? skip : magic)[len - 1];
}

static const struct member_format format = {
    .name = "lz4",
    .begin_len = 4,
    .may_begin = may_begin,
};

struct decoder *decode_lz4_create(void)
{
    return members_create(&format, lz4_create());
}
