// SPDX-License-Identifier: BSD-2-Clause
// The first stage of a source: the bytes of a file or of standard input, as they are.

#ifndef PPROC_INPUT_DESCRIPTOR_H
#define PPROC_INPUT_DESCRIPTOR_H

#include "input/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct settings;

// One thread at a time. `settings`, `stop_fd` and `problem` are set by the owner.
struct descriptor {
    const struct settings *settings;
    int stop_fd;
    struct problem *problem;

    _Atomic uint64_t fetched; // bytes of all files so far; read by one, looked at by all

    int fd;         // -1: none, or it could not be opened
    bool regular;   // a regular file: a read of it never waits, and it can be sought in
    off_t size;     // of a regular file, when it was opened
    off_t position; // where in the file reading began
    uint64_t place; // of the next byte, from there
    bool at_end;    // a read found nothing more
    bool broken;    // there is no more to be had; why was told
};

// Open the file of this name ("-": standard input). That it cannot be is told by the first read.
void descriptor_open(struct descriptor *descriptor, const char *name);

// Fine if none is open.
void descriptor_close(struct descriptor *descriptor);

// As source_read() has it. After END and DAMAGED there is nothing but that.
enum source_status descriptor_read(struct descriptor *descriptor, void *bytes, size_t room,
                                   bool may_wait, size_t *count);

// Would a read have to wait?
bool descriptor_idle(const struct descriptor *descriptor);

// Wait until it would not. False: `fd` or the stop descriptor became readable first.
bool descriptor_wait(const struct descriptor *descriptor, int fd);

// The next byte to be read of a regular file, from where reading began. Returns 0, or -1 with errno
// set.
int descriptor_seek(struct descriptor *descriptor, uint64_t place);

// Bytes of a regular file, from where reading began, when it was opened.
uint64_t descriptor_size(const struct descriptor *descriptor);

#endif
