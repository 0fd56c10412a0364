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
    struct frame frame;
    LZ4F_dctx *context;
};

static int lz4_begin(struct member *member)
{
    struct lz4_frame *lz4 = (struct lz4_frame *)member;
    LZ4F_resetDecompressionContext(lz4->context);
    frame_begin(&lz4->frame, FRAME_MAGIC_BYTES);
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

static size_t lz4_step(struct frame *frame, struct decode_buffers *buffers, size_t len,
                       const char **problem)
{
    struct lz4_frame *lz4 = (struct lz4_frame *)frame;
    size_t out = buffers->out_len;
    size_t wanted = LZ4F_decompress(lz4->context, buffers->out, &out, buffers->in, &len, NULL);
    if (LZ4F_isError(wanted)) {
        *problem = explain(wanted);
        return FRAME_DAMAGED;
    }
    buffers->in += len;
    buffers->in_len -= len;
    buffers->out += out;
    buffers->out_len -= out;
    return wanted;
}

static void lz4_destroy(struct member *member)
{
    struct lz4_frame *lz4 = (struct lz4_frame *)member;
    (void)LZ4F_freeDecompressionContext(lz4->context);
    free(lz4);
}

static struct member *lz4_create(void)
{
    struct lz4_frame *lz4 = calloc(1, sizeof(*lz4));
    if (lz4 == NULL) {
        return NULL;
    }
    lz4->frame = (struct frame){
        .member = {.begin = lz4_begin, .decode = frame_decode, .destroy = lz4_destroy},
        .step = lz4_step,
        .header = BLOCK_HEADER_BYTES,
    };
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lz4->context, LZ4F_VERSION))) {
        free(lz4);
        return NULL;
    }
    return (struct member *)lz4;
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
