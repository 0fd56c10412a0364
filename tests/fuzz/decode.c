// SPDX-License-Identifier: BSD-2-Clause
// The decoders, called as decoder.h allows: they keep to what it promises, and what they give does
// not depend on the pieces.

#include "fuzz.h"

#include "base/buf.h"
#include "input/decoder.h"
#include "input/detect.h"

#include <string.h>

#define OUT_MAX ((size_t)1 << 20) // a few bytes can stand for very many

static struct decoder *create(enum format format)
{
    switch (format) {
    case FORMAT_GZIP:
        return decode_gzip_create(2);
    case FORMAT_BZIP2:
        return decode_bzip2_create(2);
    case FORMAT_XZ:
        return decode_xz_create(2);
    case FORMAT_ZSTD:
        return decode_zstd_create(2);
    case FORMAT_LZ4:
        return decode_lz4_create(2);
    case FORMAT_LZIP:
        return decode_lzip_create(2);
    case FORMAT_COMPRESS:
        return decode_compress_create(2);
    case FORMAT_TAR:
    case FORMAT_ZIP:
    case FORMAT_7Z:
    case FORMAT_PLAIN:
    case FORMAT_UNDECIDED:
        return NULL;
    }
    return NULL;
}

struct outcome {
    enum decode_status status;
    struct buf out;
};

static struct outcome decode(struct decoder *decoder, const unsigned char *data, size_t size,
                             size_t in_piece, size_t out_piece)
{
    struct outcome outcome = {.status = DECODE_MORE};
    struct decode_buffers buffers = {.in = data};
    size_t given = 0;
    while (outcome.status == DECODE_MORE && outcome.out.len < OUT_MAX) {
        if (buffers.in_len == 0) {
            buffers.in_len = size - given < in_piece ? size - given : in_piece;
            given += buffers.in_len;
        }
        buffers.in_end = given == size;
        buffers.in_last = buffers.in_end || in_piece < 10; // as if they came slowly
        MUST(buf_reserve(&outcome.out, out_piece) == 0);
        buffers.out = (unsigned char *)outcome.out.bytes + outcome.out.len;
        buffers.out_len = out_piece;
        outcome.status = decoder->decode(decoder, &buffers);
        MUST(outcome.status >= DECODE_MORE && outcome.status <= DECODE_DAMAGED);
        MUST(buffers.in + buffers.in_len == data + given && buffers.out_len <= out_piece);
        outcome.out.len += out_piece - buffers.out_len;
        // It ends: MORE only where there is more to be had, or to be given.
        MUST(outcome.status != DECODE_MORE || buffers.out_len == 0 ||
             (buffers.in_len == 0 && !buffers.in_end));
        MUST(outcome.status != DECODE_END || (buffers.in_end && buffers.in_len == 0));
    }
    MUST((outcome.status == DECODE_EXTRA || outcome.status == DECODE_DAMAGED) ==
         (decoder->problem != NULL));
    decoder->destroy(decoder);
    return outcome;
}

void fuzz_decode(const unsigned char *data, size_t size)
{
    static const size_t pieces[][2] = {{1, 333}, {7, 1 << 16}, {1 << 16, 1}, {4096, 4096}};
    enum format format = detect_format(data, size, '\n', true);
    MUST(format != FORMAT_UNDECIDED);
    struct decoder *decoder = create(format);
    if (decoder == NULL) {
        return;
    }
    struct outcome whole = decode(decoder, data, size, 1 << 16, 1 << 18);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        decoder = create(format);
        MUST(decoder != NULL);
        struct outcome cut = decode(decoder, data, size, pieces[i][0], pieces[i][1]);
        size_t less = cut.out.len < whole.out.len ? cut.out.len : whole.out.len;
        MUST(memcmp(cut.out.bytes, whole.out.bytes, less) == 0);
        if (whole.status != DECODE_MORE && cut.status != DECODE_MORE) {
            MUST(cut.status == whole.status);
            MUST(cut.status == DECODE_DAMAGED || cut.out.len == whole.out.len);
        }
        buf_free(&cut.out);
    }
    buf_free(&whole.out);
}
