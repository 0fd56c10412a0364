// SPDX-License-Identifier: BSD-2-Clause
// The reader: cuts the bytes of the inputs into blocks of whole records.
//
// The window holds what was read, the framer knows where records end in it. A buffer that is full
// of one record grows. A record that is longer than it may be is known by its first bytes; the rest
// is read and thrown away.

#include "input/reader.h"

#include "base/diag.h"
#include "cli/settings.h"
#include "core/records.h"
#include "input/input.h"
#include "input/reader_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

// A block that needs an index has one record for so many bytes at most: its index then takes no
// more than half of its memory.
#define INDEXED_BYTES (2 * sizeof(size_t))

// This part of a block goes out if somebody waits for it, since less would be copied (block_fit()),
// and so many bytes, since less would hardly be worth the start of a process.
#define SOME_SHARE 4
#define SOME_BYTES ((size_t)1024 * 1024)

// A byte of a record is up to 6 bytes in the JSON of a dead letter; what else is there fits in the
// rest.
#define LETTER_FACTOR 6
#define LETTER_BYTES ((uint64_t)1024 * 1024)

// How much has to be in memory.
static void set_limits(struct reader *reader)
{
    size_t max_record = reader->framer.max_record;
    // A record and its delimiter, behind which a byte tells that it is not the end of a line within
    // the record; or the head of one that is too long.
    reader->max_certain = max_record + 2;
    if (reader->max_certain < OVERSIZE_HEAD_BYTES) {
        reader->max_certain = OVERSIZE_HEAD_BYTES;
    }
    // Behind it a line, until it is clear whether it begins another record.
    bool matched = reader->framer.lines == 0;
    reader->window = (struct window){
        .pool = reader->pool,
        .max = reader->max_certain + (matched ? max_record : 0),
    };
    reader->max_indexed = block_pool_size(reader->pool) / INDEXED_BYTES;
}

static void set_records(struct reader *reader, const struct settings *settings,
                        const struct line_matcher *starts)
{
    uint64_t most = SIZE_MAX / 4, longest = settings->max_record;
    if (settings->replay) { // there is a record in each line
        longest = longest * LETTER_FACTOR + LETTER_BYTES;
    }
    size_t max_record = (size_t)(longest < most ? longest : most);
    size_t lines = settings->record_lines > 1 ? settings->record_lines : 1;
    char delimiter = reader->delimiter = settings->replay ? '\n' : settings->delimiter;
    reader->framer = (struct framer){
        .delimiter = delimiter,
        .lines = settings->record_start != NULL ? 0 : lines,
        .starts = starts,
        .max_record = max_record,
    };
    reader->header = (struct header){.delimiter = delimiter, .lines = settings->header_lines};
    reader->given = settings->args;
    reader->operands = (struct operands){
        .next = settings->operands,
        .count = settings->operand_count,
        .delimiter = delimiter,
        .max_record = max_record,
    };
    reader->numbered = settings->numbered;
    reader->batch = settings->batch_lines;
    reader->exact = settings->exact_blocks || reader->batch > 0;
    reader->keep_failed = settings->dead_letter != NULL;
}

struct reader *reader_create(const struct settings *settings, struct block_pool *pool,
                             const struct line_matcher *starts, int stop_fd)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return NULL;
    }
    reader->source = source_create(settings, stop_fd);
    if (reader->source == NULL) {
        free(reader);
        return NULL;
    }
    reader->pool = pool;
    set_records(reader, settings, starts);
    set_limits(reader);
    reader->shares = share_wanted(settings, pool);
    return reader;
}

void reader_destroy(struct reader *reader)
{
    if (reader != NULL) {
        window_destroy(&reader->window);
        framer_destroy(&reader->framer);
        header_destroy(&reader->header);
        source_destroy(reader->source);
        free(reader);
    }
}

void reader_fill_blocks(struct reader *reader, const struct reader_demand *demand)
{
    reader->demand = demand;
}

bool reader_damaged(const struct reader *reader)
{
    return atomic_load(&reader->damaged);
}

const char *reader_header(const struct reader *reader, size_t *len)
{
    *len = reader->header.bytes.len;
    return reader->header.bytes.bytes;
}

uint64_t reader_bytes(const struct reader *reader)
{
    return atomic_load_explicit(&reader->bytes, memory_order_relaxed);
}

uint64_t reader_fetched(const struct reader *reader)
{
    return reader->given ? reader_bytes(reader) : source_fetched(reader->source);
}

// Go on to the next input. False: there is none.
static bool next_input(struct reader *reader)
{
    reader->open = source_next(reader->source);
    reader->ended = reader->waits = false;
    reader->in_header = reader->header.lines > 0;
    reader->offset = reader->nr = reader->counted = 0;
    framer_begin(&reader->framer, 0);
    return reader->open;
}

// The whole input has been handed out.
static void leave_input(struct reader *reader)
{
    reader->open = false;
    window_clear(&reader->window);
}

bool reader_note_damage(struct reader *reader, const struct input *input)
{
    atomic_store(&reader->damaged, true);
    return atomic_exchange(&reader->broken, input) != input;
}

void reader_tell_damage(const struct input *input, const char *problem, uint64_t lost)
{
    const char *name = input->name[0] != '\0' ? input->name : "''";
    if (lost > 0) {
        diag_error("%s: %s; the record that is cut there (%" PRIu64
                   " byte%s of it) is not processed",
                   name, problem, lost, lost == 1 ? "" : "s");
    } else {
        diag_error("%s: %s", name, problem);
    }
}

// Say what is wrong with the input, and how much of its last record is lost.
static void report(struct reader *reader, uint64_t lost)
{
    const struct input *input = source_input(reader->source);
    const char *problem = source_problem(reader->source);
    if (!reader_note_damage(reader, input)) {
        return;
    }
    if (lost > 0 && reader->in_header) {
        diag_error("%s: %s; its header is cut there, so nothing of it is processed", input->name,
                   problem);
    } else {
        reader_tell_damage(input, problem, lost);
    }
}

struct stretch reader_unread(const struct reader *reader)
{
    const struct block *buffer = reader->window.buffer;
    return (struct stretch){buffer->buf + reader->window.start, buffer->len - reader->window.start,
                            reader->offset};
}

// Up to here there are whole records now.
static void set_whole(struct reader *reader, size_t whole)
{
    struct window *window = &reader->window;
    if (reader->batch > 0 && reader->framer.lines == 1) {
        reader->counted += records_count(window->buffer->buf + window->whole, whole - window->whole,
                                         reader->delimiter);
    }
    window->whole = whole;
}

// Are there as many records as a block is to have?
static bool has_batch(const struct reader *reader)
{
    size_t records =
        reader->framer.lines == 1 ? reader->counted : reader->framer.count - reader->framer.first;
    return reader->batch == 0 || records >= reader->batch;
}

// Find the ends of records in what was read last. Returns 0, or -1 without memory.
static int find_records(struct reader *reader)
{
    if (framer_search(&reader->framer, reader_unread(reader)) != 0) {
        return -1;
    }
    set_whole(reader, reader->window.start + framer_whole(&reader->framer, reader->offset));
    return 0;
}

static void tell_short(struct reader *reader, size_t lines)
{
    if (!reader->told_short) {
        reader->told_short = true;
        diag_warn("%s: the last record has %zu of %zu lines", source_input(reader->source)->name,
                  lines, reader->framer.lines);
    }
}

// What is left is the last record. Returns 0, or -1 without memory.
static int find_last_record(struct reader *reader)
{
    size_t lines;
    if (framer_end(&reader->framer, reader_unread(reader), &lines) != 0) {
        return -1;
    }
    if (lines > 0) {
        tell_short(reader, lines);
    }
    set_whole(reader, reader->window.buffer->len);
    return 0;
}

// The end of an input ends its last record; damage cuts it. Returns 0, or -1 without memory.
static int end_input(struct reader *reader, enum source_status status)
{
    reader->ended = true;
    if (status == SOURCE_DAMAGED) {
        report(reader, reader->skipped + (reader->window.buffer->len - reader->window.whole));
        return 0;
    }
    if (status == SOURCE_EXTRA) {
        report(reader, 0);
    }
    return reader->in_header ? 0 : find_last_record(reader);
}

// Read once, behind what is in the buffer.
static enum source_status read_more(struct reader *reader, bool may_wait)
{
    struct block *buffer = reader->window.buffer;
    char *bytes = buffer->buf + buffer->len;
    size_t room = buffer->cap - buffer->len, count;
    if (room > block_pool_size(reader->pool)) {
        room = block_pool_size(reader->pool); // so that what is carried over fits a usual block
    }
    room = room < SOME_BYTES ? room : SOME_BYTES; // then it is seen who waits
    enum source_status status = source_read(reader->source, bytes, room, may_wait, &count);
    int done = 0;
    if (status == SOURCE_DATA) {
        buffer->len += count;
        atomic_fetch_add_explicit(&reader->bytes, count, memory_order_relaxed);
        done = reader->in_header ? 0 : find_records(reader);
    } else if (status == SOURCE_END || status == SOURCE_EXTRA || status == SOURCE_DAMAGED) {
        done = end_input(reader, status);
    }
    return done == 0 ? status : SOURCE_FAILED;
}

// Bytes behind the whole records that belong to one record for certain.
static size_t certain(const struct reader *reader)
{
    uint64_t behind = reader->offset + (reader->window.whole - reader->window.start);
    return (size_t)(framer_certain(&reader->framer) - behind);
}

// Does the buffer begin with a record that is too long and not all there?
static bool is_too_long(const struct reader *reader)
{
    return reader->window.buffer != NULL && certain(reader) >= reader->max_certain;
}

// Does somebody wait for what there is?
static bool is_awaited(const struct reader *reader)
{
    const struct reader_demand *demand = reader->demand;
    return demand != NULL && demand->waits(demand->arg);
}

// Nearly full is full: a call for the last few bytes costs more than it brings.
static bool buffer_is_full(const struct reader *reader)
{
    size_t len = reader->window.buffer->len, usual = block_pool_size(reader->pool);
    if (reader->window.whole == 0) {
        return is_too_long(reader);
    }
    if (reader->batch > 0) {
        return has_batch(reader) || is_too_long(reader);
    }
    if (reader->exact) {
        return len >= usual;
    }
    return len >= usual - usual / 8 ||
           (len >= SOME_BYTES && len >= usual / SOME_SHARE && is_awaited(reader));
}

// More has to be waited for: is it, before the records that are there go out?
static bool goes_on(const struct reader *reader)
{
    const struct reader_demand *demand = reader->demand;
    uint64_t count;
    if (demand == NULL) {
        return false;
    }
    ssize_t done = read(demand->fd, &count, sizeof(count));
    (void)done; // it may be 0
    return !is_awaited(reader) && source_wait(reader->source, demand->fd);
}

// Read until the buffer is full, or has whole records and more would have to be waited for.
static enum read_status fill_buffer(struct reader *reader)
{
    if (window_prepare(&reader->window) != 0) {
        return READ_FAILED;
    }
    reader->waits = false;
    while (!reader->ended && !buffer_is_full(reader)) {
        if (window_make_room(&reader->window) != 0) {
            return READ_FAILED;
        }
        switch (read_more(reader, reader->window.whole == 0 || reader->exact)) {
        case SOURCE_WAIT:
            if (goes_on(reader)) {
                break;
            }
            reader->waits = true;
            return READ_BLOCK;
        case SOURCE_STOPPED:
            return READ_STOPPED;
        case SOURCE_FAILED:
            return READ_FAILED;
        default:
            break;
        }
    }
    return READ_BLOCK;
}

// --- the header

// The input is not what it should be, as was said.
static void refuse_input(struct reader *reader)
{
    atomic_store(&reader->damaged, true);
    reader->ended = true;
    window_clear(&reader->window);
}

// The first `len` bytes of the buffer are lines that should be the header; records follow. Returns
// 0, or -1 without memory.
static int pass_header(struct reader *reader, size_t len)
{
    struct header *header = &reader->header;
    struct block *buffer = reader->window.buffer;
    int same = header_accept(header, source_input(reader->source), buffer->buf, len);
    if (same <= 0) {
        if (same == 0) {
            diag_error(
                "%s: does not begin with the header of %s, so it is not processed: give it a "
                "run of its own",
                source_input(reader->source)->name, header->input->name);
            refuse_input(reader);
        }
        return same;
    }
    reader->window.start = reader->window.whole = len;
    reader->offset = len;
    framer_begin(&reader->framer, len);
    if (find_records(reader) != 0) {
        return -1;
    }
    return reader->ended ? find_last_record(reader) : 0;
}

// The lines of the header are not all there, or too long.
static void refuse_header(struct reader *reader)
{
    const char *name = source_input(reader->source)->name;
    if (reader->window.buffer->len >= reader->max_certain) {
        diag_error("%s: its header is too long; --max-record=SIZE raises the limit", name);
    } else {
        diag_error("%s: has fewer lines than the %zu of its header", name, reader->header.lines);
    }
    refuse_input(reader);
}

// Read until the lines of the header are there. *len is how many bytes they are, 0 if they are not
// to be had.
static enum source_status fetch_header(struct reader *reader, size_t *len)
{
    enum source_status status = SOURCE_DATA;
    *len = 0;
    while (*len == 0 && status == SOURCE_DATA && reader->window.buffer->len < reader->max_certain) {
        status = window_make_room(&reader->window) == 0 ? read_more(reader, true) : SOURCE_FAILED;
        *len = header_find(&reader->header, reader->window.buffer->buf, reader->window.buffer->len,
                           reader->ended);
    }
    return status;
}

// Read the header of the input, and leave it behind.
static enum read_status read_header(struct reader *reader)
{
    size_t len;
    if (window_prepare(&reader->window) != 0) {
        return READ_FAILED;
    }
    enum source_status status = fetch_header(reader, &len);
    reader->in_header = false;
    switch (status) {
    case SOURCE_STOPPED:
        return READ_STOPPED;
    case SOURCE_FAILED:
        return READ_FAILED;
    case SOURCE_DAMAGED:
        window_clear(&reader->window);
        return READ_BLOCK;
    default:
        break;
    }
    if (len > 0 && len <= reader->max_certain) {
        return pass_header(reader, len) == 0 ? READ_BLOCK : READ_FAILED;
    }
    if (reader->window.buffer->len > 0) {
        refuse_header(reader);
    }
    return READ_BLOCK;
}

// --- records that are too long

// Throw away what belongs to a record that is too long. Returns 0, or -1 without memory.
static int throw_away(struct reader *reader)
{
    size_t len = certain(reader) - 1; // the last byte may be the delimiter that ends the record
    if (len > 0 && window_throw_away(&reader->window, len) != 0) {
        return -1;
    }
    reader->skipped += len;
    reader->offset += len;
    return 0;
}

// Read and throw away the rest of a record that is too long: up to its end or damage.
static enum source_status skip_rest(struct reader *reader)
{
    enum source_status status = SOURCE_DATA;
    while (status == SOURCE_DATA && reader->window.whole == reader->window.start) {
        bool room = throw_away(reader) == 0 && window_make_room(&reader->window) == 0;
        status = room ? read_more(reader, true) : SOURCE_FAILED;
    }
    return status;
}

// The record that the buffer is full of is too long: keep its head. *block stays NULL if the input
// breaks in it: then it is a cut record and no more.
static enum read_status skip_record(struct reader *reader, struct block **block)
{
    struct block *head = window_copy(&reader->window, OVERSIZE_HEAD_BYTES);
    if (head == NULL) {
        return READ_FAILED;
    }
    enum source_status status = skip_rest(reader);
    if (status == SOURCE_STOPPED || status == SOURCE_FAILED || status == SOURCE_DAMAGED) {
        block_destroy(reader->pool, head);
        reader->skipped = 0;
        return status == SOURCE_STOPPED  ? READ_STOPPED
               : status == SOURCE_FAILED ? READ_FAILED
                                         : READ_BLOCK;
    }
    return reader_hand_out_head(reader, head, block);
}

enum read_status reader_next(struct reader *reader, size_t max_records, struct block **block)
{
    enum read_status status = READ_BLOCK;
    *block = NULL;
    if (reader->given) {
        return reader_hand_out_operands(reader, max_records, block);
    }
    while (status == READ_BLOCK && *block == NULL) {
        if (!reader->open) {
            if (!next_input(reader)) {
                return READ_END;
            }
        } else if (reader->in_header) {
            status = read_header(reader);
        } else if (reader->window.start < reader->window.whole &&
                   (reader->ended || has_batch(reader) || is_too_long(reader))) {
            status = reader_hand_out(reader, max_records, block);
        } else if (reader->ended) {
            leave_input(reader);
        } else if (is_too_long(reader)) {
            status = skip_record(reader, block);
        } else if (atomic_load(&reader->broken) == source_input(reader->source)) {
            reader->ended = true; // while it was shared
            window_clear(&reader->window);
        } else if (max_records == 0 && (*block = share_block(reader)) != NULL) {
            break;
        } else {
            status = fill_buffer(reader);
        }
    }
    return status;
}
