// SPDX-License-Identifier: BSD-2-Clause
// The budget: bytes charged for blocks and results in flight.

#include "core/core_state.h"

#include <assert.h>

void budget_charge(struct core *core, size_t bytes)
{
    core->used += bytes;
}

void budget_uncharge(struct core *core, size_t bytes)
{
    assert(core->used >= bytes);
    core->used -= bytes;
}

void budget_charge_result(struct core *core, struct result *result, size_t bytes)
{
    result->charged += bytes;
    budget_charge(core, bytes);
}

void budget_release_block(struct core *core, struct block *block)
{
    assert(block->refs > 0);
    if (--block->refs == 0) {
        budget_uncharge(core, block->cap);
        block_release(core->config.pool, block);
    }
}

void budget_release_result(struct core *core, struct result *result)
{
    if (result->held) {
        result->held = false;
        budget_release_block(core, result->task.block);
    }
}
