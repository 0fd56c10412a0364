// SPDX-License-Identifier: BSD-2-Clause
// Operations, with their patterns, expressions and templates: records together give what they give
// one by one. Input: flags, how many operations, their kinds and texts, each with a NUL, but for
// plugins, and then the records.

#include "fuzz.h"

#include "base/buf.h"
#include "cli/settings.h"
#include "core/result.h"
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 600 // patterns that backtrack take long enough
#define OPERATIONS_MAX 3

struct outcome {
    struct buf out;
    struct tally tally;
};

static void add_output(struct outcome *outcome, const struct result *result)
{
    for (size_t i = 0; i < result->iov_count; i++) {
        const struct iovec *piece = &result->iov[i];
        MUST(buf_append(&outcome->out, piece->iov_base, piece->iov_len) == 0);
    }
}

// Run the plan on the records from `off` on.
static void run(const struct plan *plan, struct plan_state *state, struct block *block, size_t off,
                size_t len, struct outcome *outcome)
{
    struct result *result = result_create(block, off, len);
    MUST(result != NULL && plan_run(plan, state, result) == 0);
    const struct tally *tally = &result->tally;
    MUST(tally->records == tally->emitted + tally->dropped + tally->failed);
    add_output(outcome, result);
    outcome->tally.records += tally->records;
    outcome->tally.emitted += tally->emitted;
    outcome->tally.dropped += tally->dropped;
    outcome->tally.failed += tally->failed;
    result_destroy(result);
}

static void compare(const struct plan *plan, struct block *block)
{
    struct outcome together = {0}, alone = {0};
    struct plan_state *state = plan_state_create(plan, 1);
    uint64_t records = 0;
    MUST(state != NULL);
    if (block->len > 0) {
        run(plan, state, block, 0, block->len, &together);
    }
    for (size_t off = 0, end; off < block->len; off = end) {
        end = fuzz_record_end(block->buf, block->len, off, block->delimiter);
        run(plan, state, block, off, end - off, &alone);
        records++;
    }
    MUST(together.tally.records == records);
    MUST(together.out.len == alone.out.len);
    MUST(alone.out.len == 0 || memcmp(together.out.bytes, alone.out.bytes, alone.out.len) == 0);
    MUST(memcmp(&together.tally, &alone.tally, sizeof(alone.tally)) == 0);
    plan_state_destroy(state);
    buf_free(&together.out);
    buf_free(&alone.out);
}

// What plugins do: the byte that is the kind of the operation, above 0x7f, says which of these.
static char *plugin_value(unsigned char kind)
{
    static const char *const parts[] = {"pass",   "upper",  "again=1", "words= ",  "words=a",
                                        "drop=x", "fail=a", "silent=", "heedless", "worker"};
    const char *builddir = getenv("builddir");
    char *value;
    MUST(asprintf(&value, "%s/tests/plugins/player.so,%s", builddir != NULL ? builddir : ".",
                  parts[kind % (sizeof(parts) / sizeof(parts[0]))]) >= 0);
    return value;
}

void fuzz_plan(const unsigned char *data, size_t size)
{
    static const enum operation_kind kinds[] = {OPERATION_MATCH, OPERATION_EXCLUDE, OPERATION_SUBST,
                                                OPERATION_PRINT};
    struct operation operations[OPERATIONS_MAX];
    struct feed feed = {data, size};
    if (size > BYTES_MAX) {
        return;
    }
    unsigned char flags = feed_byte(&feed);
    struct settings settings = {.operations = operations,
                                .operation_count = feed_byte(&feed) % (OPERATIONS_MAX + 1),
                                .max_record = BYTES_MAX,
                                .ignore_case = flags & 1,
                                .fixed_strings = flags & 2,
                                .utf = flags & 4,
                                .count = flags & 8,
                                .delimiter = flags & 16 ? ',' : '\n'};
    for (size_t i = 0; i < settings.operation_count; i++) {
        unsigned char kind = feed_byte(&feed);
        bool plugin = kind >= 0x80;
        operations[i].kind =
            plugin ? OPERATION_PLUGIN : kinds[kind % (sizeof(kinds) / sizeof(kinds[0]))];
        operations[i].pattern = plugin ? plugin_value(kind) : feed_word(&feed);
    }
    struct plan *plan = plan_create(&settings);
    if (plan != NULL) {
        struct block block = {
            .buf = (char *)feed.bytes, .len = feed.len, .delimiter = settings.delimiter};
        compare(plan, &block);
    }
    plan_destroy(plan);
    for (size_t i = 0; i < settings.operation_count; i++) {
        free((char *)operations[i].pattern);
    }
}
