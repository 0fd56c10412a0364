// SPDX-License-Identifier: BSD-2-Clause
// zstd frames.

#include "input/decoder.h"
#include "input/frames.h"
#include "input/members.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BLOCK_HEADER_BYTES 3

struct zstd_frame {
    struct frame frame;
    ZSTD_DStream *stream;
};

static int zstd_begin(struct member *member)
{
    struct zstd_frame *zstd = (struct zstd_frame *)member;
    size_t wanted = ZSTD_initDStream(zstd->stream);
    frame_begin(&zstd->frame, wanted);
    return ZSTD_isError(wanted) ? -1 : 0;
}

static const char *explain(size_t error)
{
    switch (ZSTD_getErrorCode(error)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return "the zstd data needs a window of more than 128 MiB, which is the limit "
               "(zstd -dc --long=31 FILE | pproc ...)";
    case ZSTD_error_dictionary_wrong:
        return "the zstd data needs a dictionary (zstd -dc -D DICTIONARY FILE | pproc ...)";
    case ZSTD_error_checksum_wrong:
        return "the checksum of the zstd data is wrong";
    case ZSTD_error_memory_allocation:
        return "there is no memory to decode the zstd data";
    default:
        return "the zstd data is damaged";
    }
}

static size_t zstd_step(struct frame *frame, struct decode_buffers *buffers, size_t len,
                        const char **problem)
{
    struct zstd_frame *zstd = (struct zstd_frame *)frame;
    ZSTD_inBuffer in = {buffers->in, len, 0};
    ZSTD_outBuffer out = {buffers->out, buffers->out_len, 0};
    size_t wanted = ZSTD_decompressStream(zstd->stream, &out, &in);
    buffers->in += in.pos;
    buffers->in_len -= in.pos;
    buffers->out += out.pos;
    buffers->out_len -= out.pos;
    if (ZSTD_isError(wanted)) {
        *problem = explain(wanted);
        return FRAME_DAMAGED;
    }
    return wanted;
}

static void zstd_destroy(struct member *member)
{
    struct zstd_frame *zstd = (struct zstd_frame *)member;
    (void)ZSTD_freeDStream(zstd->stream);
    free(zstd);
}

static struct member *zstd_create(void)
{
    struct zstd_frame *zstd = calloc(1, sizeof(*zstd));
    if (zstd == NULL) {
        return NULL;
    }
    zstd->frame = (struct frame){
        .member = {.begin = zstd_begin, .decode = frame_decode, .destroy = zstd_destroy},
        .step = zstd_step,
        .header = BLOCK_HEADER_BYTES,
    };
    zstd->stream = ZSTD_createDStream();
    if (zstd->stream == NULL) {
        free(zstd);
        return NULL;
    }
    return (struct member *)zstd;
}

static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    return frame_may_begin(magic, begin, len);
}

static const struct member_format format = {
    .name = "zstd",
    .begin_len = FRAME_MAGIC_BYTES,
    .may_begin = may_begin,
};

struct decoder *decode_zstd_create(unsigned threads)
{
    (void)threads;
    return members_create(&format, zstd_create());
}
