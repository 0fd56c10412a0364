// SPDX-License-Identifier: BSD-2-Clause
// What the frames of zstd and lz4 have in common.

#include "input/frames.h"

void frame_begin(struct frame *frame, size_t wanted)
{
    frame->wanted = wanted;
    frame->full = false;
}

// How many of `len` bytes the next call gets.
static size_t next_piece(const struct frame *frame, size_t len)
{
    size_t piece = frame->wanted;
    if (frame->full) {
        return 0;
    }
    if (piece > frame->header) {
        piece -= frame->header;
    }
    return piece < len ? piece : len;
}

enum decode_status frame_decode(struct member *member, struct decode_buffers *buffers,
                                const char **problem)
{
    struct frame *frame = (struct frame *)member;
    while (buffers->in_len > 0 || frame->full) {
        size_t room = buffers->out_len;
        frame->wanted = frame->step(frame, buffers, next_piece(frame, buffers->in_len), problem);
        if (frame->wanted == FRAME_DAMAGED) {
            return DECODE_DAMAGED;
        }
        if (frame->wanted == 0) {
            return DECODE_END;
        }
        frame->full = buffers->out_len == 0 && room > 0;
        if (frame->full) {
            break;
        }
    }
    return DECODE_MORE;
}

bool frame_may_begin(const unsigned char magic[FRAME_MAGIC_BYTES], const unsigned char *begin,
                     size_t len)
{
    static const unsigned char skip[FRAME_MAGIC_BYTES] = {0x50, 0x2a, 0x4d, 0x18};
    const unsigned char *expected = (begin[0] & 0xf0) == skip[0] ? skip : magic;
    return len == 1 ? expected == skip || begin[0] == magic[0]
                    : begin[len - 1] == expected[len - 1];
}
