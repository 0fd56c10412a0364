// SPDX-License-Identifier: BSD-2-Clause
// compress (.Z) streams: LZW, with codes that grow from 9 to at most 16 bits.
//
// A code stands for a string: that of an earlier code and one byte more, a table entry each. Codes
// come in groups of eight, so a group of n-bit codes has n bytes; where the width changes, the rest
// of the group is padding. There are no checksum and no mark of the end: damage is noticed only by
// a code that has no meaning, and an end only by bits behind the last code that are not 0.

#include "input/decoder.h"

#include <stdint.h>
#include <stdlib.h>

#define HEADER_BYTES 3
#define WIDTH_MIN 9
#define WIDTH_MAX 16
#define BLOCK_MODE 0x80 // CLEAR is a code
#define CLEAR 256
#define GROUP_CODES 8
#define NO_CODE UINT32_MAX

struct compress_stream {
    struct decoder decoder;
    unsigned header_len; // bytes of it that are there
    unsigned width_max;
    bool block_mode;

    uint32_t bits; // that are not used yet, the first one lowest
    unsigned bit_count;
    unsigned skip;       // bits of padding to come
    unsigned width;      // of codes now
    unsigned group_pos;  // codes of this width so far, modulo GROUP_CODES
    uint32_t next;       // the entry to be made
    uint32_t last;       // the code before, or NO_CODE
    unsigned char first; // the first byte of what that stands for

    uint16_t prefix[1 << WIDTH_MAX];
    unsigned char suffix[1 << WIDTH_MAX];

    // The string of the last code, backwards, so far as it is not delivered.
    size_t held;
    unsigned char string[1 << WIDTH_MAX];
};

// Returns MORE, or DAMAGED.
static enum decode_status damaged(struct compress_stream *stream, const char *problem)
{
    stream->decoder.problem = problem;
    return DECODE_DAMAGED;
}

static enum decode_status take_header(struct compress_stream *stream,
                                      struct decode_buffers *buffers)
{
    static const unsigned char magic[] = {0x1f, 0x9d};
    while (stream->header_len < HEADER_BYTES && buffers->in_len > 0) {
        unsigned char byte = *buffers->in++;
        buffers->in_len--;
        if (stream->header_len < sizeof(magic)) {
            if (byte != magic[stream->header_len]) {
                return damaged(stream, "this is not compress (.Z) data");
            }
        } else {
            stream->width_max = byte & ~BLOCK_MODE;
            stream->block_mode = (byte & BLOCK_MODE) != 0;
            stream->next = stream->block_mode ? CLEAR + 1 : CLEAR;
            if (stream->width_max < WIDTH_MIN || stream->width_max > WIDTH_MAX) {
                return damaged(stream, "the header of the compress (.Z) data is damaged");
            }
        }
        stream->header_len++;
    }
    return DECODE_MORE;
}

// The rest of the group is padding.
static void set_width(struct compress_stream *stream, unsigned width)
{
    stream->skip = (GROUP_CODES - stream->group_pos) % GROUP_CODES * stream->width;
    stream->group_pos = 0;
    stream->width = width;
}

// Fill `bits` and drop padding. False: there is not enough for a code.
static bool take_bits(struct compress_stream *stream, struct decode_buffers *buffers)
{
    for (;;) {
        unsigned drop = stream->skip < stream->bit_count ? stream->skip : stream->bit_count;
        stream->bits >>= drop;
        stream->bit_count -= drop;
        stream->skip -= drop;
        if (stream->skip == 0 && stream->bit_count >= stream->width) {
            return true;
        }
        if (buffers->in_len == 0) {
            return false;
        }
        stream->bits |= (uint32_t)*buffers->in++ << stream->bit_count;
        stream->bit_count += 8;
        buffers->in_len--;
    }
}

// Is there no room for another entry among codes of this width? (Codes of at most 9 bits get 10
// when the table is full: compress(1) and gzip(1) have it so.)
static bool is_too_narrow(const struct compress_stream *stream)
{
    unsigned limit = stream->width_max > WIDTH_MIN ? stream->width_max : WIDTH_MIN + 1;
    return stream->width < limit && stream->next >> stream->width != 0;
}

// Hold the string that the code stands for, and make an entry of the last one and its first byte.
static enum decode_status take_string(struct compress_stream *stream, uint32_t code)
{
    uint32_t walk = code;
    if (stream->last == NO_CODE ? code >= CLEAR : code > stream->next) {
        return damaged(stream, "the compress (.Z) data is damaged");
    }
    if (code == stream->next) { // the entry that is being made: the last string and its first byte
        stream->string[stream->held++] = stream->first;
        walk = stream->last;
    }
    while (walk >= CLEAR) {
        stream->string[stream->held++] = stream->suffix[walk];
        walk = stream->prefix[walk];
    }
    stream->first = (unsigned char)walk;
    stream->string[stream->held++] = stream->first;
    if (stream->last != NO_CODE && stream->next >> stream->width_max == 0) {
        stream->prefix[stream->next] = (uint16_t)stream->last;
        stream->suffix[stream->next] = stream->first;
        stream->next++;
    }
    stream->last = code;
    return DECODE_MORE;
}

static enum decode_status take_code(struct compress_stream *stream)
{
    uint32_t code = stream->bits & ((UINT32_C(1) << stream->width) - 1);
    stream->bits >>= stream->width;
    stream->bit_count -= stream->width;
    stream->group_pos = (stream->group_pos + 1) % GROUP_CODES;
    if (code == CLEAR && stream->block_mode) {
        set_width(stream, WIDTH_MIN);
        stream->next = CLEAR + 1;
        stream->last = NO_CODE;
        return DECODE_MORE;
    }
    return take_string(stream, code);
}

static void deliver(struct compress_stream *stream, struct decode_buffers *buffers)
{
    for (; stream->held > 0 && buffers->out_len > 0; buffers->out_len--) {
        *buffers->out++ = stream->string[--stream->held];
    }
}

// All that came in is used; it may be the end.
static enum decode_status finish(struct compress_stream *stream)
{
    if (stream->header_len < HEADER_BYTES || stream->bits != 0) {
        return damaged(stream, "the compress (.Z) data ends early");
    }
    return DECODE_END;
}

static enum decode_status compress_decode(struct decoder *decoder, struct decode_buffers *buffers)
{
    struct compress_stream *stream = (struct compress_stream *)decoder;
    enum decode_status status = take_header(stream, buffers);
    while (status == DECODE_MORE) {
        deliver(stream, buffers);
        if (stream->held > 0) {
            return DECODE_MORE;
        }
        if (is_too_narrow(stream)) {
            set_width(stream, stream->width + 1);
        }
        if (!take_bits(stream, buffers)) {
            return buffers->in_end ? finish(stream) : DECODE_MORE;
        }
        status = take_code(stream);
    }
    return status;
}

static void compress_destroy(struct decoder *decoder)
{
    free(decoder);
}

struct decoder *decode_compress_create(unsigned threads)
{
    (void)threads;
    struct compress_stream *stream = calloc(1, sizeof(*stream));
    if (stream != NULL) {
        stream->decoder = (struct decoder){.decode = compress_decode, .destroy = compress_destroy};
        stream->width = WIDTH_MIN;
        stream->last = NO_CODE;
    }
    return (struct decoder *)stream;
}
