// SPDX-License-Identifier: BSD-2-Clause
// What all formats have in common: members one after another, perhaps padded with NULs at the end.
// (The frames of zstd and lz4 and the streams of xz and bzip2 are called members here.)

#ifndef PPROC_INPUT_MEMBERS_H
#define PPROC_INPUT_MEMBERS_H

#include "input/decoder.h"

#include <stdbool.h>
#include <stddef.h>

// No format needs more to tell a member from what is none.
#define MEMBER_BEGIN_MAX 6

struct member_format {
    const char *name; // as messages have it
    size_t begin_len; // bytes that tell a member from what is none
    // May a member begin with these, at most `begin_len` bytes? The last one is new.
    bool (*may_begin)(const unsigned char *begin, size_t len);
    size_t padding_unit; // a member may follow a multiple of so many NULs; 0: no number of them
};

// The first member of what decodes one member of a stream after the other.
struct member {
    // Begin a member: its first byte comes next. Returns 0, or -1 without memory.
    int (*begin)(struct member *member);
    // Returns MORE, END (verified; what follows the member is left in `in`), or DAMAGED and says in
    // *problem what is wrong. As decoder.h has it, but that a cut member gives MORE for ever.
    enum decode_status (*decode)(struct member *member, struct decode_buffers *buffers,
                                 const char **problem);
    void (*destroy)(struct member *member);
};

// Takes over `member`. NULL: no memory, also if `member` is NULL.
struct decoder *members_create(const struct member_format *format, struct member *member);

#endif
