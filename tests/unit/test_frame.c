// SPDX-License-Identifier: BSD-2-Clause
// Tasks and results as forked workers get and give them: what is unpacked is what was packed, and
// nothing that a worker may have left behind is believed.

#include "core/records.h"
#include "run/frame.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static char text[] = "aa\nbbb\ncccc\nd";
static const struct input input = {.name = "an input"};
static const struct iovec nothing = {0};
static struct retriable retriable;

static struct block make_block(void)
{
    return (struct block){
        .input = &input,
        .offset = 1000,
        .buf = text,
        .len = strlen(text),
        .cap = strlen(text),
        .first_seq = 11,
        .first_nr = 5,
        .delimiter = '\n',
    };
}

static struct area make_area(void)
{
    struct area area;
    OK(area_init(&area) == 0, "there is an area");
    return area;
}

static bool has_bytes(const struct result *task, const char *bytes)
{
    return task->task.len == strlen(bytes) &&
           memcmp(result_bytes(task), bytes, task->task.len) == 0;
}

static void test_plain_task(void)
{
    struct area area = make_area();
    struct block block = make_block();
    struct result *task = result_create(&block, 3, 9);
    struct task_frame frame;
    struct unpacked_task unpacked;
    static char columns[] = "x\ty\n";
    struct iovec header = {columns, 4}, blocks = {text, sizeof(text)};
    task->task.index = 1;
    task->task.attempts = 2;

    OK(frame_pack_task(&frame, &area, task, blocks, header) == 0 && frame.in_blocks,
       "a task in the memory of blocks is packed by its place alone");
    OK(memcmp(area.bytes + frame.header, "x\ty\n", 4) == 0, "and the header, if it is needed");
    OK(frame_unpack_task(&unpacked, &frame, &area, blocks) == 0 &&
           result_bytes(unpacked.result) == text + 3 && has_bytes(unpacked.result, "bbb\ncccc\n"),
       "its bytes stay where they are");
    OK(strcmp(unpacked.block.input->name, "an input") == 0 && unpacked.block.first_seq == 11 &&
           unpacked.block.first_nr == 5 && unpacked.result->task.index == 1 &&
           unpacked.result->task.attempts == 2 && unpacked.block.delimiter == '\n',
       "all that operations can see of it is there");
    unpacked_task_clear(&unpacked);

    OK(frame_pack_task(&frame, &area, task, nothing, nothing) == 0 && !frame.in_blocks &&
           frame_unpack_task(&unpacked, &frame, &area, nothing) == 0 &&
           has_bytes(unpacked.result, "bbb\ncccc\n"),
       "bytes that lie anywhere else are copied");
    unpacked_task_clear(&unpacked);
    result_destroy(task);
    area_destroy(&area);
}

static void test_indexed_task(void)
{
    static const struct input others[] = {{.name = "first"}, {.name = "second"}};
    struct area area = make_area();
    struct block block = make_block();
    struct task_frame frame;
    struct unpacked_task unpacked;
    block.ends = (size_t[]){3, 12, 13};
    block.end_count = 3;
    block.origins =
        (struct origin[]){{&others[0], 7, 70}, {&others[1], 8, 80}, {&others[1], 9, 90}};
    struct result *task = result_create(&block, 3, 10);
    OK(frame_pack_task(&frame, &area, task, nothing, nothing) == 0 &&
           frame_unpack_task(&unpacked, &frame, &area, nothing) == 0,
       "a task with an index is packed");
    OK(records_in_task(unpacked.result) == 2 && unpacked.block.ends[0] == 9 &&
           unpacked.block.ends[1] == 10,
       "its records end where they did");
    const struct origin *origin = records_origin(&unpacked.block, 9);
    OK(origin->nr == 9 && strcmp(origin->input->name, "second") == 0,
       "and know where they come from");
    unpacked_task_clear(&unpacked);
    result_destroy(task);
    area_destroy(&area);
}

// As a worker has it: the task begins with its block.
static struct result *run_in_worker(struct block *block, struct cause *cause)
{
    struct result *result = result_create(block, 0, block->len);
    struct emitter emitter;
    emitter_init(&emitter);
    bool done = buf_append(emitter_open(&emitter), "own bytes\n", 10) == 0;
    emitter_commit(&emitter);
    done = done && emitter_finish(&emitter, result) == 0;
    done = done && result_fail(result, 1, text + 3, 3, cause) == 0 &&
           result_fail(result, 3, text + 12, 1, cause) == 0;
    OK(done, "a worker has a result");
    result->tally.records = 4;
    result->tally.emitted = 1;
    result->tally.dropped = 1;
    emitter_destroy(&emitter);
    return result;
}

static void test_result(void)
{
    struct area area = make_area();
    struct block block = make_block();
    struct cause *cause = cause_create(ERROR_REGEX, "%s", "it gave up");
    struct block own = make_block();
    own.offset = 0;
    struct result *there = run_in_worker(&own, cause), *here = result_create(&block, 0, block.len);
    struct answer_frame frame;
    there->unterminated = true;

    OK(frame_pack_result(&frame, &area, there, NULL) == 0 &&
           frame_unpack_result(&frame, &area, here, &retriable) == 0,
       "what it gives is packed and unpacked");
    OK(here->iov_count == 1 && here->own_len == 10 && !here->refers &&
           memcmp(here->iov[0].iov_base, "own bytes\n", 10) == 0 && here->unterminated,
       "the output is the same");
    OK(here->tally.records == 4 && here->tally.emitted == 1 && here->tally.dropped == 1 &&
           here->tally.failed == 2,
       "and the account");
    const struct failure *first = here->failures, *second = first->next;
    OK(first->nr == 1 && first->offset == 1003 && second->nr == 3 && second->offset == 1012 &&
           second->next == NULL,
       "failures have their places");
    OK(first->cause == second->cause && first->cause->error == ERROR_REGEX &&
           strcmp(first->cause->message, "it gave up") == 0,
       "and share their cause");
    result_clear(here);

    // Bytes of the task that are not copied.
    result_clear(there);
    there->iov = calloc(1, sizeof(*there->iov));
    there->iov[0] = (struct iovec){text + 3, 9};
    there->iov_count = 1;
    there->tally = (struct tally){.records = 4, .emitted = 2, .dropped = 2};
    OK(frame_pack_result(&frame, &area, there, NULL) == 0 && frame.own_len == 0 &&
           frame_unpack_result(&frame, &area, here, &retriable) == 0 && here->refers &&
           here->iov[0].iov_base == text + 3 && here->iov[0].iov_len == 9,
       "output that refers to the task still does");
    result_clear(here);

    OK(frame_pack_result(&frame, &area, there, &(struct retriable){3, 4, cause}) == 0 &&
           frame_unpack_result(&frame, &area, here, &retriable) == 0 && here->failures == NULL,
       "a record that is to be tried again is no failure");
    OK(frame.retriable && retriable.off == 3 && retriable.len == 4 &&
           cause_alike(retriable.cause, cause),
       "but is told");
    cause_unref(retriable.cause);
    result_destroy(there);
    result_destroy(here);
    cause_unref(cause);
    area_destroy(&area);
}

static void test_sizes(void)
{
    struct area writer = make_area();
    size_t first = writer.size;
    OK(area_reserve(&writer, 10 * AREA_KEEP) == 0 && writer.size >= 10 * AREA_KEEP,
       "an area grows");
    memset(writer.bytes, 'x', writer.size);
    area_shrink(&writer);
    OK(writer.size == AREA_KEEP, "and gives back what is extraordinary");
    struct area other = {.fd = writer.fd, .bytes = writer.bytes, .size = writer.size};
    OK(area_follow(&other, 100 * AREA_KEEP) != 0, "a size that it does not have is refused");
    OK(first <= AREA_KEEP, "it is not shrunk below what it has at first");
    area_destroy(&writer);
}

// A frame that is wrong in one way must be refused, whatever is in the area.
static void test_nonsense(void)
{
    struct area area = make_area();
    struct block block = make_block();
    memset(area.bytes, 0xff, area.size);
    const struct answer_frame frames[] = {
        {.tally = {.records = 3, .emitted = 1}},
        {.tally = {.records = 1, .failed = 1}},
        {.piece_count = 1, .own_len = 5},
        {.piece_count = SIZE_MAX / 16, .own_len = 5},
        {.piece_count = SIZE_MAX, .own_len = SIZE_MAX},
        {.own_len = 5},
        {.own_len = area.size + 1},
        {.failure_count = 1, .tally = {.records = 1, .failed = 1}, .failure_bytes = area.size},
        {.failure_count = 1, .tally = {.records = 1, .failed = 1}, .failure_bytes = SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct result *result = result_create(&block, 0, block.len);
        OK(frame_unpack_result(&frames[i], &area, result, &retriable) == 1,
           "nonsense %zu is refused", i);
        result_destroy(result);
    }
    area_destroy(&area);
}

int main(void)
{
    test_plain_task();
    test_indexed_task();
    test_result();
    test_sizes();
    test_nonsense();
    return tap_done();
}
