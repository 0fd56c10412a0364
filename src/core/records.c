// SPDX-License-Identifier: BSD-2-Clause
// Finding and counting records.

#include "core/records.h"

// The first record of an indexed block that ends behind byte `off`, which is in it, counted from 0.
static size_t record_at(const struct block *block, size_t off)
{
    size_t low = 0, high = block->end_count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (block->ends[middle] > off) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// Records from byte `from` to before byte `to` of bytes that are at byte `off` of the block.
static struct records make_records(const struct block *block, const char *bytes, size_t off,
                                   const char *from, const char *to)
{
    struct records records = {
        .next = from, .end = to, .delimiter = block->delimiter, .bytes = bytes, .off = off};
    if (block->ends != NULL) {
        records.ends = block->ends + record_at(block, off + (size_t)(from - bytes));
    }
    return records;
}

struct records records_between(const struct result *result, const char *from, const char *to)
{
    return make_records(result->task.block, result_bytes(result), result->task.off, from, to);
}

struct records records_within(const struct block *block, size_t off, size_t end)
{
    return make_records(block, block->buf, 0, block->buf + off, block->buf + end);
}

struct records records_of(const struct result *result)
{
    const char *bytes = result_bytes(result);
    return records_between(result, bytes, bytes + result->task.len);
}

struct record records_next_indexed(struct records *records)
{
    const char *bytes = records->next;
    const char *next = records->bytes + (*records->ends++ - records->off);
    size_t len = (size_t)(next - bytes);
    records->next = next;
    return (struct record){bytes, len - (next[-1] == records->delimiter), next};
}

uint64_t records_in_task(const struct result *result)
{
    const struct task *task = &result->task;
    return task->copy == NULL || task->block->ends != NULL
               ? records_in_block(task->block, task->off, task->off + task->len)
               : records_count(result_bytes(result), task->len, task->block->delimiter);
}

uint64_t records_in_block(const struct block *block, size_t off, size_t end)
{
    if (off == end) {
        return 0;
    }
    if (off == 0 && end == block->len && block->records > 0) {
        return block->records;
    }
    return block->ends != NULL ? record_at(block, end - 1) - record_at(block, off) + 1
                               : records_count(block->buf + off, end - off, block->delimiter);
}

size_t records_end(const struct block *block, size_t off)
{
    if (block->ends != NULL) {
        return block->ends[record_at(block, off)];
    }
    const char *end = memchr(block->buf + off, block->delimiter, block->len - off);
    return end != NULL ? (size_t)(end + 1 - block->buf) : block->len;
}

const struct origin *records_origin(const struct block *block, size_t off)
{
    return block->origins != NULL ? &block->origins[record_at(block, off)] : NULL;
}

int records_level(const struct block *block, size_t off)
{
    if (block->spans == NULL) {
        return 0;
    }
    size_t low = 0, high = block->span_count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (block->spans[middle].end > off) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return block->spans[low].level;
}

static size_t middle_by_index(const struct task *task, size_t half)
{
    const size_t *end = task->block->ends + record_at(task->block, task->off + half);
    if (*end == task->off + task->len) {
        if (end == task->block->ends || end[-1] <= task->off) {
            return 0;
        }
        end--;
    }
    return *end - task->off;
}

size_t records_middle(const struct result *result)
{
    const struct task *task = &result->task;
    const char *bytes = result_bytes(result);
    size_t half = (task->len - 1) / 2;
    if (task->block->ends != NULL) {
        return middle_by_index(task, half);
    }
    const char *end = memchr(bytes + half, task->block->delimiter, task->len - half);
    if (end == NULL || end == bytes + task->len - 1) {
        end = memrchr(bytes, task->block->delimiter, half);
    }
    return end != NULL ? (size_t)(end + 1 - bytes) : 0;
}

// A count of at most ROUNDS fits its lane.
#define LANES 32
#define ROUNDS 255
typedef unsigned char lanes __attribute__((vector_size(LANES)));
typedef uint64_t words __attribute__((vector_size(LANES)));

// Delimiters in `rounds` times LANES bytes; at most ROUNDS. Compiled for the processors that have
// vectors of this size, and for those that have shorter ones.
static inline __attribute__((always_inline)) size_t count_rounds(const char *bytes, size_t rounds,
                                                                 char delimiter)
{
    lanes delimiters, counts = {0};
    memset(&delimiters, delimiter, sizeof(delimiters));
    for (size_t i = 0; i < rounds; i++) {
        lanes chunk;
        memcpy(&chunk, bytes + i * LANES, LANES);
        counts -= (lanes)(chunk == delimiters); // equal is all ones: minus one
    }
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    words eights = (words)counts;
    uint64_t sums = 0; // four of them, of 16 bits each
    for (size_t i = 0; i < LANES / sizeof(uint64_t); i++) {
        sums += (eights[i] & even) + (eights[i] >> 8 & even);
    }
    return sums * UINT64_C(0x0001000100010001) >> 48;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t count_avx2(const char *bytes, size_t rounds,
                                                         char delimiter)
{
    return count_rounds(bytes, rounds, delimiter);
}
#endif

static size_t count_lanes(const char *bytes, size_t rounds, char delimiter)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return count_avx2(bytes, rounds, delimiter);
    }
#endif
    return count_rounds(bytes, rounds, delimiter);
}

size_t records_count(const char *bytes, size_t len, char delimiter)
{
    if (len == 0) {
        return 0;
    }
    size_t count = 0, done = 0;
    while (len - done >= LANES) {
        size_t rounds = (len - done) / LANES;
        if (rounds > ROUNDS) {
            rounds = ROUNDS;
        }
        count += count_lanes(bytes + done, rounds, delimiter);
        done += rounds * LANES;
    }
    for (; done < len; done++) {
        count += bytes[done] == delimiter;
    }
    return count + (bytes[len - 1] != delimiter);
}
