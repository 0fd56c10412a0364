// SPDX-License-Identifier: BSD-2-Clause
// What a worker thread and its forked worker tell each other: fixed frames over a socket, which say
// where the bytes are in memory that both have.
//
// A worker that dies may leave anything behind, so whoever reads what a worker wrote believes none
// of it: frame_unpack_result() checks all that it uses.

#ifndef PPROC_RUN_FRAME_H
#define PPROC_RUN_FRAME_H

#include "core/result.h"
#include "input/input.h"
#include "plan/plan.h"
#include "run/area.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// A task, for a forked worker. Places are bytes of the area of tasks, unless something else is
// said.
struct task_frame {
    unsigned generation; // of the worker that it is for
    size_t task_area;    // sizes of both areas
    size_t result_area;

    bool in_blocks;    // the bytes of the records are in the memory of blocks,
    size_t bytes, len; // there or in the area

    size_t ends;    // ends of records in the task, if `end_count`
    size_t origins; // likewise, where these were read first; 0: they were read here
    size_t end_count;
    size_t input;                                  // name of the input
    size_t header, header_len;                     // header of the inputs, if it is needed
    uint64_t first_seq, first_nr, index, oversize; // as in the block and the task
    unsigned attempts;
    char delimiter;
};

// What the other end says.
enum answer_kind {
    ANSWER_READY,     // the worker has started
    ANSWER_UNABLE,    // it has no state for the operations; `status` is an errno
    ANSWER_RESULT,    // the task has been run
    ANSWER_NO_MEMORY, // there was none for the task
    ANSWER_UNBORN,    // by the zygote: the worker could not be forked; `status` is an errno
    ANSWER_DEAD,      // by the zygote: it has died; `status` is as of waitpid()
};

struct answer_frame {
    enum answer_kind kind;
    unsigned generation; // of the worker
    int status;

    // ANSWER_RESULT. In the area of results there are pieces, failures and own bytes, in turn.
    size_t result_area;
    size_t piece_count;
    size_t failure_count;
    size_t failure_bytes;
    size_t own_len;
    struct tally tally;
    unsigned unterminated; // as in the result; 0: false
    unsigned retriable; // likewise: there is one failure more, which is not counted, of the record
                        // to be tried again
};

// Write a task into the area, but for bytes that are in `blocks`, and its frame. Returns 0, or -1
// with errno set.
int frame_pack_task(struct task_frame *frame, struct area *area, const struct result *task,
                    struct iovec blocks, struct iovec header);

// A task as a forked worker has it: a block of its own.
struct unpacked_task {
    struct result *result;
    struct block block;
    struct input input;
    struct input *inputs; // of its origins
};

// Make the task of a frame, whose bytes stay where they are. Returns 0, or -1 without memory; it
// can be cleared in both cases.
int frame_unpack_task(struct unpacked_task *task, const struct task_frame *frame,
                      const struct area *area, struct iovec blocks);
void unpacked_task_clear(struct unpacked_task *task);

// Write what running the task gave into the area, and its frame. `retriable` is NULL if there is no
// such record. Returns 0, or -1 with errno set.
int frame_pack_result(struct answer_frame *frame, struct area *area, const struct result *result,
                      const struct retriable *retriable);

// Give the task, which has no output, what the frame and the area say, and if frame->retriable put
// that record into *retriable; what is there before is replaced. Returns 0, -1 without memory, or 1
// if they make no sense; the task may have parts of it then.
int frame_unpack_result(const struct answer_frame *frame, const struct area *area,
                        struct result *result, struct retriable *retriable);

#endif
