// SPDX-License-Identifier: BSD-2-Clause
// What is inside of a coproc; for its own files alone.

#ifndef PPROC_COMMAND_COPROC_STATE_H
#define PPROC_COMMAND_COPROC_STATE_H

#include "command/attempt.h"
#include "command/capture.h"
#include "command/coproc.h"
#include "command/dialog.h"

#include <time.h>

// So many bytes may be unanswered.
#define AHEAD_MAX ((size_t)1024 * 1024)

// Bytes of a read.
#define COPROC_CHUNK ((size_t)128 * 1024)

// A task, and what the process has of it.
struct flight {
    struct flight *next;
    struct coproc_result result;
    uint64_t records;  // that COMMAND gets
    uint64_t given;    // of them a process was or is to be sent so many
    uint64_t answered; // and has answered so many,
    uint64_t before;   // these when the present one began with it
    size_t bytes;      // of all records
    size_t left;       // of them that are not sent,
    size_t due;        // and of these that the present process is to get
    uint64_t from, to; // which bytes of the stream to the present process are its own; 0: none
    int64_t begun;     // when the first byte was sent; 0: none was
    int64_t finished;  // when the last record was answered
    struct timespec start;
    size_t piece, piece_count; // what is not sent
    struct iovec pieces[];
};

struct fifo {
    struct flight *first, *last;
};

struct coproc {
    struct command_state *state;
    struct dialog *dialog;
    int call_fd;

    struct fifo flights;    // of the process, in order: those that it has begun with come first
    struct flight *sending; // the first of them that is not wholly sent; NULL: all are
    struct capture replies; // to the first one
    bool torn;              // their last one lacks its delimiter so far
    char *chunk;            // what was read
    struct fifo ended;      // tasks that have come to an end
    struct fifo alone;      // to be run alone, once there is no process
    struct buf answers;     // to what is to be cut off
    bool broken;            // no memory, or as spill_error() says

    // Of the present process.
    uint64_t granted; // records that it is to have,
    uint64_t stream;  // and bytes
    bool blocked;     // it takes nothing at the moment
    bool closes;      // its input ends behind what it is to have
    bool trial;       // so far it is to have one task only
    bool blamed;      // some of its tasks are to be run again
    bool refused;     // its replies are not to its records,
    bool lacking;     // since they are fewer; else they are more
    bool trusted;     // some of its tasks have been given back as answered
    int64_t closed;   // when its input ended because it was silent; 0: it did not

    size_t ahead;      // bytes of flights
    size_t last_bytes; // of the last one
    size_t window;     // so much may be unread, if more than those
    bool flush;        // the core needs answers
    int64_t since;     // later of: record sent, reply
    int64_t patience;
    int64_t look, look_at; // how long until the next look, and when
    int64_t finished;      // when the last task was answered
};

static inline bool flight_is_complete(const struct flight *flight)
{
    return flight->answered == flight->records;
}

// --- coproc.c

const struct settings *coproc_settings(const struct coproc *coproc);
// The first task that is not wholly answered; NULL: all are.
struct flight *coproc_head(const struct coproc *coproc);
// Does the process owe an answer?
bool coproc_is_owing(const struct coproc *coproc);
// Take the first task out of the flights; there is one.
struct flight *coproc_pop_first(struct coproc *coproc);
// A task that is none of the flights any more is over, but for being given back.
void coproc_end_flight(struct coproc *coproc, struct flight *flight, enum coproc_end end);
// As much is unanswered as may be.
bool coproc_is_full(const struct coproc *coproc);
// Replies that have not been given back do not count, the process is of no use.
void coproc_refuse(struct coproc *coproc);
// No memory, or as spill_error() or joblog_error() say.
void coproc_break_off(struct coproc *coproc);

// --- coproc_send.c

// Send what the process takes. Is there more for it?
bool coproc_send(struct coproc *coproc);

// --- coproc_reply.c

// Read what the process has written.
void coproc_receive(struct coproc *coproc);
// The process has ended well, and its output with it, which ends a last reply that lacks its
// delimiter. False: something holds the output open, so that reply may be a part.
bool coproc_end_replies(struct coproc *coproc);
// All replies to the first task are there.
void coproc_finish_first(struct coproc *coproc);
// The process is gone. Its first task is answered, or in part, or not at all; or, if it has not
// failed, another one goes on with it: then it stays.
void coproc_settle_first(struct coproc *coproc, bool failed);

// --- coproc_time.c

// The process is new.
void coproc_reset_times(struct coproc *coproc);
// It has given a reply.
void coproc_note_reply(struct coproc *coproc, int64_t now);
// When something is due whatever the process does; INT64_MAX: never.
int64_t coproc_next_time(const struct coproc *coproc, bool asks, int64_t now);
void coproc_do_due(struct coproc *coproc, int64_t now);
// Is it time to look whether there is room? One that reads all and answers nothing gets more.
void coproc_look(struct coproc *coproc, int64_t now);
// The process times out if it owes an answer, or its end, for too long.
void coproc_set_limit(struct coproc *coproc);

#endif
