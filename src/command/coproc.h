// SPDX-License-Identifier: BSD-2-Clause
// Mode coproc: a process that lives on answers each record with one record, in order.
//
// Each worker has a coproc, which owns the tasks that it was given from coproc_add() until
// coproc_next() gives them back. Records are sent ahead, so a process that buffers its output works
// too. What a process that failed has not answered is given back to be run alone, by a process of
// its own whose input ends behind it: attempts and their failures are those of batches.

#ifndef PPROC_COMMAND_COPROC_H
#define PPROC_COMMAND_COPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command_state;
struct coproc;
struct result;

// `state` has to live longer. NULL with errno set on failure.
struct coproc *coproc_create(struct command_state *state);
// There must be neither tasks nor a process: see coproc_finish(). NULL is fine.
void coproc_destroy(struct coproc *coproc);

// End coproc_wait(). From any thread; does not block.
void coproc_call(void *coproc);

// May it have one more task?
bool coproc_has_room(struct coproc *coproc);
// Take a task. Returns 0, or -1: no memory; the task is still the caller's.
int coproc_add(struct coproc *coproc, struct result *task);

enum coproc_end {
    COPROC_DONE,   // the result has its output and its tally
    COPROC_PARTLY, // only the first `cut` bytes are answered: they are to be cut off, and get their
                   // output by coproc_answer(); the rest is to be run alone
    COPROC_ALONE,  // to be run alone, by command_run()
    COPROC_BROKEN, // its output cannot be kept: no memory, or as spill_error() says
};

struct coproc_result {
    struct result *task; // the caller's from now on
    enum coproc_end end;
    size_t cut;
    int64_t ns; // that it took
};

// The next task that has come to an end. False: there is none.
bool coproc_next(struct coproc *coproc, struct coproc_result *ended);
// `front` is what was cut off. Returns 0; 1 if it has to be run alone too; or -1: no memory.
int coproc_answer(struct coproc *coproc, struct result *front);

// Send and receive until something happens; `asks`: the caller waits for room. Returns true if
// coproc_call() was called.
bool coproc_wait(struct coproc *coproc, bool asks);

// The core says CORE_FLUSH, and whether for good: end the input of the process, at once or if it is
// silent for a moment. There is no room until then, or until an answer comes.
void coproc_flush(struct coproc *coproc, bool last);

// There are no tasks any more: end the process.
void coproc_finish(struct coproc *coproc);

#endif
