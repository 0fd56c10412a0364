// SPDX-License-Identifier: BSD-2-Clause
// A stream of xz or a member of lzip, decoded by liblzma.

#include "input/lzma_member.h"

#include "input/members.h"

#include <stdlib.h>

struct lzma_member {
    struct member member;
    const struct lzma_format *format;
    unsigned threads;
    lzma_stream stream;
    bool unverified; // its checksum is of an unknown kind
};

static int lzma_begin(struct member *base)
{
    struct lzma_member *member = (struct lzma_member *)base;
    member->unverified = false;
    return member->format->begin(&member->stream, member->threads) == LZMA_OK ? 0 : -1;
}

static lzma_ret decode_piece(lzma_stream *stream, struct decode_buffers *buffers)
{
    stream->next_in = buffers->in;
    stream->avail_in = buffers->in_len;
    stream->next_out = buffers->out;
    stream->avail_out = buffers->out_len;
    lzma_ret result = lzma_code(stream, LZMA_RUN);
    buffers->in = stream->next_in;
    buffers->in_len = stream->avail_in;
    buffers->out = stream->next_out;
    buffers->out_len = stream->avail_out;
    return result;
}

// Threads may have more to give when all that came in is used. liblzma waits for them when it is
// called again without input, and says LZMA_BUF_ERROR when there is nothing to wait for.
static bool may_go_on(const struct decode_buffers *buffers)
{
    return buffers->out_len > 0 && (buffers->in_len > 0 || buffers->in_last);
}

static enum decode_status damaged(const char **problem, const char *what)
{
    *problem = what;
    return DECODE_DAMAGED;
}

static enum decode_status lzma_decode(struct member *base, struct decode_buffers *buffers,
                                      const char **problem)
{
    struct lzma_member *member = (struct lzma_member *)base;
    const struct lzma_format *format = member->format;
    lzma_ret result;
    do {
        result = decode_piece(&member->stream, buffers);
        if (result == LZMA_UNSUPPORTED_CHECK) {
            member->unverified = true;
            result = LZMA_OK;
        }
    } while (result == LZMA_OK && may_go_on(buffers));
    switch (result) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: // nothing can be done without more input or room
        return DECODE_MORE;
    case LZMA_STREAM_END:
        return member->unverified ? damaged(problem, format->unverified) : DECODE_END;
    case LZMA_MEM_ERROR:
        return damaged(problem, format->no_memory);
    case LZMA_OPTIONS_ERROR:
        return damaged(problem, format->unknown);
    default:
        return damaged(problem, format->damaged);
    }
}

static void lzma_destroy(struct member *base)
{
    struct lzma_member *member = (struct lzma_member *)base;
    lzma_end(&member->stream);
    free(member);
}

struct member *lzma_member_create(const struct lzma_format *format, unsigned threads)
{
    struct lzma_member *member = calloc(1, sizeof(*member));
    if (member != NULL) {
        member->member =
            (struct member){.begin = lzma_begin, .decode = lzma_decode, .destroy = lzma_destroy};
        member->format = format;
        member->threads = threads;
        member->stream = (lzma_stream)LZMA_STREAM_INIT;
    }
    return (struct member *)member;
}
