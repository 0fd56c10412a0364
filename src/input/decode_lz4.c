// SPDX-License-Identifier: BSD-2-Clause
// lz4 frames.

#include "input/decoder.h"
#include "input/frames.h"
#include "input/members.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_HEADER_BYTES 4

struct lz4_frame {
    struct member member;
    LZ4F_dctx *context;
    struct frame_feed feed;
};

static int lz4_begin(struct member *member)
{
    struct lz4_frame *frame = (struct lz4_frame *)member;
    LZ4F_resetDecompressionContext(frame->context);
    frame->feed = (struct frame_feed){.header = BLOCK_HEADER_BYTES, .wanted = FRAME_MAGIC_BYTES};
    return 0;
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
    while (buffers->in_len > 0 || frame->feed.full) {
        size_t in = frame_next_piece(&frame->feed, buffers->in_len), out = buffers->out_len;
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
        frame->feed.wanted = wanted;
        frame->feed.full = out > 0 && buffers->out_len == 0;
        if (frame->feed.full) {
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

static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {0x04, 0x22, 0x4d, 0x18};
    return frame_may_begin(magic, begin, len);
}

static const struct member_format format = {
    .name = "lz4",
    .begin_len = FRAME_MAGIC_BYTES,
    .may_begin = may_begin,
};

struct decoder *decode_lz4_create(unsigned threads)
{
    (void)threads;
    return members_create(&format, lz4_create());
}
