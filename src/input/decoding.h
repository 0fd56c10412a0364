// SPDX-License-Identifier: BSD-2-Clause
// The second stage of a source: feeds a decoder from the descriptor, and gives what comes out.

#ifndef PPROC_INPUT_DECODING_H
#define PPROC_INPUT_DECODING_H

#include "input/stage.h"

#include <stdbool.h>
#include <stddef.h>

struct decoder;
struct descriptor;

// One thread at a time. `descriptor` and `problem` are set by the owner, who must not look at the
// rest.
struct decoding {
    struct descriptor *descriptor;
    struct problem *problem;

    struct decoder *decoder; // NULL: nothing is being decoded
    unsigned char *raw;      // encoded bytes; NULL until the first decoder
    size_t raw_off, raw_len;
    bool last;                // what follows these is not there yet, or never will be
    bool broken;              // there will be no more, for a reason that has been told
    enum source_status state; // DATA until the decoder says END or EXTRA, or something is damaged
};

// Begin with these bytes, at most 64 KiB, which came out of the descriptor. Takes over `decoder`;
// NULL is one for which there was no memory. Returns 0, or -1 without memory.
int decoding_begin(struct decoding *decoding, struct decoder *decoder, const void *head,
                   size_t len);

// Fine if nothing is being decoded.
void decoding_end(struct decoding *decoding);

// Likewise; gives all memory back.
void decoding_destroy(struct decoding *decoding);

// As source_read() has it.
enum source_status decoding_read(struct decoding *decoding, void *bytes, size_t room, bool may_wait,
                                 size_t *count);

#endif
