// SPDX-License-Identifier: BSD-2-Clause
// bzip2 streams.

#include "input/decoder.h"
#include "input/members.h"

#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct bzip2_stream {
    struct member member;
    bz_stream stream;
    bool begun; // `stream` holds memory
};

static void end_stream(struct bzip2_stream *bzip2)
{
    if (bzip2->begun) {
        (void)BZ2_bzDecompressEnd(&bzip2->stream);
        bzip2->begun = false;
    }
}

static int bzip2_begin(struct member *member)
{
    struct bzip2_stream *bzip2 = (struct bzip2_stream *)member;
    end_stream(bzip2);
    memset(&bzip2->stream, 0, sizeof(bzip2->stream));
    bzip2->begun = BZ2_bzDecompressInit(&bzip2->stream, 0, 0) == BZ_OK;
    return bzip2->begun ? 0 : -1;
}

static unsigned at_most(size_t len)
{
    return len < UINT_MAX ? (unsigned)len : UINT_MAX;
}

static int decompress(bz_stream *stream, struct decode_buffers *buffers)
{
    stream->next_in = (char *)buffers->in; // it does not write there
    stream->avail_in = at_most(buffers->in_len);
    stream->next_out = (char *)buffers->out;
    stream->avail_out = at_most(buffers->out_len);
    int result = BZ2_bzDecompress(stream);
    size_t in = (size_t)(stream->next_in - (const char *)buffers->in);
    size_t out = (size_t)(stream->next_out - (const char *)buffers->out);
    buffers->in += in;
    buffers->in_len -= in;
    buffers->out += out;
    buffers->out_len -= out;
    return result;
}

static enum decode_status bzip2_decode(struct member *member, struct decode_buffers *buffers,
                                       const char **problem)
{
    struct bzip2_stream *bzip2 = (struct bzip2_stream *)member;
    int result;
    do {
        result = decompress(&bzip2->stream, buffers);
    } while (result == BZ_OK && buffers->in_len > 0 && buffers->out_len > 0);
    switch (result) {
    case BZ_OK:
        return DECODE_MORE;
    case BZ_STREAM_END:
        return DECODE_END;
    case BZ_MEM_ERROR:
        *problem = "there is no memory to decode the bzip2 data";
        return DECODE_DAMAGED;
    default:
        *problem = "the bzip2 data is damaged, or its checksum is wrong";
        return DECODE_DAMAGED;
    }
}

static void bzip2_destroy(struct member *member)
{
    struct bzip2_stream *bzip2 = (struct bzip2_stream *)member;
    end_stream(bzip2);
    free(bzip2);
}

static struct member *bzip2_create(void)
{
    struct bzip2_stream *bzip2 = calloc(1, sizeof(*bzip2));
    if (bzip2 != NULL) {
        bzip2->member =
            (struct member){.begin = bzip2_begin, .decode = bzip2_decode, .destroy = bzip2_destroy};
    }
    return (struct member *)bzip2;
}

// "BZh", then the size of a block.
static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {'B', 'Z', 'h'};
    unsigned char byte = begin[len - 1];
    return len <= sizeof(magic) ? byte == magic[len - 1] : byte >= '1' && byte <= '9';
}

static const struct member_format format = {
    .name = "bzip2",
    .begin_len = 4,
    .may_begin = may_begin,
};

struct decoder *decode_bzip2_create(unsigned threads)
{
    (void)threads;
    return members_create(&format, bzip2_create());
}
