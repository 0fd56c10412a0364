// SPDX-License-Identifier: BSD-2-Clause
// gzip streams.

#include "input/decoder.h"
#include "input/gzip_member.h"
#include "input/members.h"

// What each member begins with; of the flags behind it, the upper three bits are never set.
static const unsigned char magic[] = {0x1f, 0x8b, 0x08};

#define RESERVED_FLAGS 0xe0

static bool may_begin(const unsigned char *begin, size_t len)
{
    unsigned char byte = begin[len - 1];
    return len <= sizeof(magic) ? byte == magic[len - 1] : (byte & RESERVED_FLAGS) == 0;
}

static const struct member_format format = {
    .name = "gzip",
    .begin_len = sizeof(magic) + 1,
    .may_begin = may_begin,
};

struct decoder *decode_gzip_create(unsigned threads)
{
    (void)threads;
    return members_create(&format, gzip_member_create());
}
