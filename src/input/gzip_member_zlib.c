// SPDX-License-Identifier: BSD-2-Clause
// One member of a gzip stream, decoded by zlib.

#include "input/gzip_member.h"

#include "input/members.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

struct gzip_member {
    struct member member;
    z_stream stream;
};

static uInt at_most(size_t len)
{
    return len < UINT_MAX ? (uInt)len : UINT_MAX;
}

static int inflate_data(z_stream *stream, struct decode_buffers *buffers)
{
    stream->next_in = (Bytef *)buffers->in; // it does not write there
    stream->avail_in = at_most(buffers->in_len);
    stream->next_out = buffers->out;
    stream->avail_out = at_most(buffers->out_len);
    int result = inflate(stream, Z_NO_FLUSH);
    buffers->in_len -= (size_t)(stream->next_in - buffers->in);
    buffers->in = stream->next_in;
    buffers->out_len -= (size_t)(stream->next_out - buffers->out);
    buffers->out = stream->next_out;
    return result;
}

static int gzip_begin(struct member *base)
{
    struct gzip_member *member = (struct gzip_member *)base;
    return inflateReset(&member->stream) == Z_OK ? 0 : -1;
}

static enum decode_status gzip_decode(struct member *base, struct decode_buffers *buffers,
                                      const char **problem)
{
    struct gzip_member *member = (struct gzip_member *)base;
    int result;
    do {
        result = inflate_data(&member->stream, buffers);
    } while (result == Z_OK && buffers->in_len > 0 && buffers->out_len > 0);
    switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: // nothing can be done without more input or room
        return DECODE_MORE;
    case Z_STREAM_END:
        return DECODE_END;
    case Z_MEM_ERROR:
        *problem = "there is no memory to decode the gzip data";
        return DECODE_DAMAGED;
    default:
        *problem = "the gzip data is damaged";
        return DECODE_DAMAGED;
    }
}

static void gzip_destroy(struct member *base)
{
    struct gzip_member *member = (struct gzip_member *)base;
    (void)inflateEnd(&member->stream);
    free(member);
}

struct member *gzip_member_create(void)
{
    struct gzip_member *member = calloc(1, sizeof(*member));
    if (member == NULL) {
        return NULL;
    }
    member->member =
        (struct member){.begin = gzip_begin, .decode = gzip_decode, .destroy = gzip_destroy};
    if (inflateInit2(&member->stream, MAX_WBITS + 16) != Z_OK) { // 16: with a gzip header
        free(member);
        return NULL;
    }
    return (struct member *)member;
}
