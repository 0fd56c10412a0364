// SPDX-License-Identifier: BSD-2-Clause
// --replay: the records of dead letters are read again, with the places that they once had.
// Used by one thread at a time (whoever has the reading role).

#ifndef PPROC_INPUT_REPLAY_H
#define PPROC_INPUT_REPLAY_H

#include "input/reader.h"

struct replay;

// Lines come from `reader`, which stays the caller's, memory of blocks from `pool`. NULL: no
// memory. To be called before the first thread.
struct replay *replay_create(const struct settings *settings, struct block_pool *pool,
                             struct reader *reader);
void replay_destroy(struct replay *replay);

// As reader_next(); the blocks have an index of their records and tell the origin of each. Lines
// that are no dead letters are told on standard error, and left out.
enum read_status replay_next(struct replay *replay, size_t max_records, struct block **block);

// Was some line no dead letter?
bool replay_damaged(const struct replay *replay);

#endif
