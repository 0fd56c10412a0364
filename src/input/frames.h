// SPDX-License-Identifier: BSD-2-Clause
// What the frames of zstd and lz4 have in common: blocks with a header each, frames to be skipped,
// and libraries that tell how much they want next.
//
// When these meet damage they do not say what they have written before in that call. So a call
// never gets more than one block, and the header of the next one is a call of its own; nor does a
// call that has to deliver what is held back get anything new.

#ifndef PPROC_INPUT_FRAMES_H
#define PPROC_INPUT_FRAMES_H

#include "input/members.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC_BYTES 4
#define FRAME_DAMAGED SIZE_MAX

// The first member of what decodes a frame.
struct frame {
    struct member member;
    // Decode `len` bytes of `in`, or deliver what is held back. Returns how much is wanted up to
    // the end of a block and of the header of the next one, 0 at the end of the frame, or
    // FRAME_DAMAGED and says in *problem what is wrong.
    size_t (*step)(struct frame *frame, struct decode_buffers *buffers, size_t len,
                   const char **problem);
    size_t header; // bytes of a block's header

    size_t wanted; // by the next call
    bool full;     // all room for output was used: there may be more to deliver
};

// Another frame begins, and so much of it is wanted.
void frame_begin(struct frame *frame, size_t wanted);

// As struct member has it.
enum decode_status frame_decode(struct member *member, struct decode_buffers *buffers,
                                const char **problem);

// As struct member_format has it: with this magic number, or one of those of frames to be skipped.
bool frame_may_begin(const unsigned char magic[FRAME_MAGIC_BYTES], const unsigned char *begin,
                     size_t len);

#endif
