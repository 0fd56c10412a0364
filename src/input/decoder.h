// SPDX-License-Identifier: BSD-2-Clause
// A decoder: turns a compressed stream into bytes, piece by piece, and knows its end. One file a
// format. It does no I/O: the caller brings the input and the room for the output.

#ifndef PPROC_INPUT_DECODER_H
#define PPROC_INPUT_DECODER_H

#include <stdbool.h>
#include <stddef.h>

// What a decoder works on. Both parts shrink from the front as they are used.
struct decode_buffers {
    const unsigned char *in;
    size_t in_len;
    bool in_end;  // nothing follows `in`
    bool in_last; // what follows `in`, if anything, is not there yet
    unsigned char *out;
    size_t out_len;
};

enum decode_status {
    DECODE_MORE,    // so far so good: `in` is used up or `out` is full
    DECODE_END,     // the end of the stream and of the input, verified
    DECODE_EXTRA,   // the end of the stream, verified, but what follows is none of it
    DECODE_DAMAGED, // the stream cannot be read on, or its checksum is wrong, or it is cut
};

// The first member of every decoder. One thread at a time.
struct decoder {
    // Room is left in `out` only if all that `in` gives is there, or not `in_last`; damage is told
    // when all that was decoded before it has been delivered. Not MORE when `in` is used up at
    // `in_end` (which is `in_last` too) and room is left. Once it is not MORE, there are no more
    // calls.
    enum decode_status (*decode)(struct decoder *decoder, struct decode_buffers *buffers);
    void (*destroy)(struct decoder *decoder);
    const char *problem; // what is wrong, after EXTRA and DAMAGED; lives as long as the decoder
};

// They may use so many threads of their own; only xz can. NULL: no memory.
struct decoder *decode_bzip2_create(unsigned threads);
struct decoder *decode_compress_create(unsigned threads);
struct decoder *decode_gzip_create(unsigned threads);
struct decoder *decode_lz4_create(unsigned threads);
struct decoder *decode_lzip_create(unsigned threads);
struct decoder *decode_xz_create(unsigned threads);
struct decoder *decode_zstd_create(unsigned threads);

#endif
