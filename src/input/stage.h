// SPDX-License-Identifier: BSD-2-Clause
// What the stages of a source have in common: bytes are read from a file, out of a decoder, out of
// an archive, and each of them may tell what is wrong.

#ifndef PPROC_INPUT_STAGE_H
#define PPROC_INPUT_STAGE_H

enum source_status {
    SOURCE_DATA,    // bytes, at least one
    SOURCE_WAIT,    // none yet, and the caller does not want to wait
    SOURCE_END,     // the end of the input, verified as far as its format can be
    SOURCE_EXTRA,   // likewise, but what follows it is none of the input
    SOURCE_DAMAGED, // there is no more to be had: the input is missing, unreadable or damaged
    SOURCE_STOPPED, // the stop descriptor became readable
    SOURCE_FAILED,  // no memory: errno is set
};

// What is wrong with an input: a phrase to follow its name. Shared by the stages of a source.
struct problem {
    char text[512];
};

// Say what is wrong. Returns DAMAGED.
__attribute__((format(printf, 2, 3))) enum source_status stage_damaged(struct problem *problem,
                                                                       const char *format, ...);

#endif
