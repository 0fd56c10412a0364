// SPDX-License-Identifier: BSD-2-Clause
// lzip members. A dictionary may be as large as the format allows, as lzip has it.

#include "input/decoder.h"
#include "input/lzma_member.h"
#include "input/members.h"

static lzma_ret begin_member(lzma_stream *stream, unsigned threads)
{
    (void)threads;
    return lzma_lzip_decoder(stream, UINT64_MAX, 0);
}

static const struct lzma_format lzma = {
    .begin = begin_member,
    .damaged = "the lzip data is damaged, or its checksum is wrong",
    .unknown = "the lzip data is of an unknown version, or its dictionary has no legal size",
    .no_memory = "there is no memory to decode the lzip data",
};

static bool may_begin(const unsigned char *begin, size_t len)
{
    static const unsigned char magic[] = {'L', 'Z', 'I', 'P'};
    return begin[len - 1] == magic[len - 1];
}

static const struct member_format format = {
    .name = "lzip",
    .begin_len = 4,
    .may_begin = may_begin,
};

struct decoder *decode_lzip_create(unsigned threads)
{
    (void)threads;
    return members_create(&format, lzma_member_create(&lzma, 1));
}
