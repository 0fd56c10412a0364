// SPDX-License-Identifier: BSD-2-Clause
// One member of a gzip stream: header, deflated data, checksum and length. Either of two sources
// is compiled: gzip_member_isal.c (ISA-L, several times faster) or gzip_member_zlib.c.

#ifndef PPROC_INPUT_GZIP_MEMBER_H
#define PPROC_INPUT_GZIP_MEMBER_H

#include "input/decoder.h"

struct gzip_member;

// NULL: no memory.
struct gzip_member *gzip_member_create(void);

// NULL is fine.
void gzip_member_destroy(struct gzip_member *member);

// Begin a member: its header comes next.
void gzip_member_begin(struct gzip_member *member);

// Returns MORE, END (verified; what follows the member is left in `in`), or DAMAGED and says in
// *problem what is wrong. As decoder.h has it, but that a cut member gives MORE for ever.
enum decode_status gzip_member_decode(struct gzip_member *member, struct decode_buffers *buffers,
                                      const char **problem);

#endif
