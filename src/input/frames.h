// SPDX-License-Identifier: BSD-2-Clause
// What the frames of zstd and lz4 have in common: blocks with a header each, frames to be skipped,
// and libraries that tell how much they want next.
//
// When these meet damage they do not say what they have written before in that call. So a call
// never gets more than one block, and the header of the next one is a call of its own; nor does a
// call that has to deliver what is held back get anything new.

#ifndef PPROC_INPUT_FRAMES_H
#define PPROC_INPUT_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#define FRAME_MAGIC_BYTES 4

struct frame_feed {
    size_t header; // bytes of a block's header
    size_t wanted; // bytes up to the end of a block and of the header of the next one
    bool full;     // all room for output was used: there may be more to deliver
};

// How many of `len` bytes the next call gets.
size_t frame_next_piece(const struct frame_feed *feed, size_t len);

// As member_format has it: with this magic number, or one of those of frames to be skipped.
bool frame_may_begin(const unsigned char magic[FRAME_MAGIC_BYTES], const unsigned char *begin,
                     size_t len);

#endif
