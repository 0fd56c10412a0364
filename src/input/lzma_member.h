// SPDX-License-Identifier: BSD-2-Clause
// A stream of xz or a member of lzip, decoded by liblzma.

#ifndef PPROC_INPUT_LZMA_MEMBER_H
#define PPROC_INPUT_LZMA_MEMBER_H

#include <lzma.h>

struct member;

struct lzma_format {
    lzma_ret (*begin)(lzma_stream *stream, unsigned threads); // makes it ready for another member

    // What may be wrong with one.
    const char *damaged, *unverified, *unknown, *no_memory;
};

// NULL: no memory.
struct member *lzma_member_create(const struct lzma_format *format, unsigned threads);

#endif
