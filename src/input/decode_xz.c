// SPDX-License-Identifier: BSD-2-Clause
// xz streams. A dictionary may be as large as the format allows, as xz has it.

#include "input/decoder.h"
#include "input/lzma_member.h"
#include "input/members.h"

static lzma_ret begin_stream(lzma_stream *stream)
{
    return lzma_stream_decoder(stream, UINT64_MAX, LZMA_TELL_UNSUPPORTED_CHECK);
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

struct decoder *decode_xz_create(void)
{
    return members_create(&format, lzma_member_create(&lzma));
}
