// SPDX-License-Identifier: BSD-2-Clause
// xz streams. A dictionary may be as large as the format allows, as xz has it. The blocks of a
// stream are decoded side by side, if it has several and tells their sizes, as xz -T makes them.

#include "input/decoder.h"
#include "input/lzma_member.h"
#include "input/members.h"

// What all threads may take together; a stream whose blocks need more is decoded by fewer.
#define THREADS_MEMORY (UINT64_C(128) << 20)

static lzma_ret begin_stream(lzma_stream *stream, unsigned threads)
{
    lzma_mt options = {
        .flags = LZMA_TELL_UNSUPPORTED_CHECK,
        .threads = threads,
        .memlimit_threading = THREADS_MEMORY,
        .memlimit_stop = UINT64_MAX,
    };
    return lzma_stream_decoder_mt(stream, &options);
}

static const struct lzma_format lzma = {
    .begin = begin_stream,
    .damaged = "the xz data is damaged, or its checksum is wrong",
    .unverified = "the checksum of the xz data is of a kind that is unknown here",
    .unknown = "the xz data uses an option that is unknown here",
    .no_memory = "there is no memory to decode the xz data",
};

static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
    return begin[len - 1] == magic[len - 1];
}

static const struct member_format format = {
    .name = "xz",
    .begin_len = 6,
    .may_begin = may_begin,
    .padding_unit = 4,
};

struct decoder *decode_xz_create(unsigned threads)
{
    return members_create(&format, lzma_member_create(&lzma, threads));
}
