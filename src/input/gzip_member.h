// SPDX-License-Identifier: BSD-2-Clause
// One member of a gzip stream: header, deflated data, checksum and length. Either of two sources
// is compiled: gzip_member_isal.c (ISA-L, several times faster) or gzip_member_zlib.c.

#ifndef PPROC_INPUT_GZIP_MEMBER_H
#define PPROC_INPUT_GZIP_MEMBER_H

struct member;

// NULL: no memory.
struct member *gzip_member_create(void);

#endif
