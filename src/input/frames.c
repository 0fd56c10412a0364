// SPDX-License-Identifier: BSD-2-Clause
// What the frames of zstd and lz4 have in common.

#include "input/frames.h"

size_t frame_next_piece(const struct frame_feed *feed, size_t len)
{
    size_t piece = feed->wanted;
    if (feed->full) {
        return 0;
    }
    if (piece > feed->header) {
        piece -= feed->header;
    }
    return piece < len ? piece : len;
}

bool frame_may_begin(const unsigned char magic[FRAME_MAGIC_BYTES], const unsigned char *begin,
                     size_t len)
{
    static const unsigned char skip[FRAME_MAGIC_BYTES] = {0x50, 0x2a, 0x4d, 0x18};
    const unsigned char *expected = (begin[0] & 0xf0) == skip[0] ? skip : magic;
    return len == 1 ? expected == skip || begin[0] == magic[0]
                    : begin[len - 1] == expected[len - 1];
}
