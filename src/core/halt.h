// SPDX-License-Identifier: BSD-2-Clause
// When a run ends before all records are processed, because of what became of some.

#ifndef PPROC_CORE_HALT_H
#define PPROC_CORE_HALT_H

#include <stdbool.h>
#include <stdint.h>

enum halt_why {
    HALT_NEVER,
    HALT_FAIL,    // records failed
    HALT_SUCCESS, // records were emitted
    HALT_DONE,    // either
};

struct halt {
    enum halt_why why;
    bool now;       // end what runs too
    bool percent;   // `value` is a share of the records that reached their end
    uint64_t value; // records, or 1 to 100
};

// So many records have to reach their end before shares are looked at.
#define HALT_SHARE_FROM 10

// How many records count, of those that reached their end.
uint64_t halt_count(const struct halt *halt, uint64_t emitted, uint64_t failed);

// Is it time to end the run?
bool halt_is_reached(const struct halt *halt, uint64_t emitted, uint64_t failed);

#endif
