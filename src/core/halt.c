// SPDX-License-Identifier: BSD-2-Clause
// When a run ends before all records are processed.

#include "core/halt.h"

uint64_t halt_count(const struct halt *halt, uint64_t emitted, uint64_t failed)
{
    switch (halt->why) {
    case HALT_NEVER:
        break;
    case HALT_FAIL:
        return failed;
    case HALT_SUCCESS:
        return emitted;
    case HALT_DONE:
        return emitted + failed;
    }
    return 0;
}

bool halt_is_reached(const struct halt *halt, uint64_t emitted, uint64_t failed)
{
    uint64_t count = halt_count(halt, emitted, failed), ended = emitted + failed;
    if (halt->why == HALT_NEVER) {
        return false;
    }
    if (halt->percent) {
        return ended >= HALT_SHARE_FROM && count * 100 >= ended * halt->value;
    }
    return count >= halt->value;
}
