// SPDX-License-Identifier: BSD-2-Clause
// Detection, decoders and archives: any bytes, as a file and as a pipe. What comes out does not
// depend on how reads are cut.

#include "fuzz.h"

#include "base/buf.h"
#include "cli/settings.h"
#include "input/detect.h"
#include "input/reader.h"

#include <string.h>

#define BLOCK_BYTES 4096
#define OUT_MAX ((size_t)1 << 20) // a few bytes can stand for very many

struct outcome {
    struct buf out;
    bool damaged;
    bool more; // there was more than OUT_MAX
};

static struct outcome read_stdin(const unsigned char *data, size_t size, bool pipe, uint64_t cut)
{
    static char dash[] = "-";
    static char *files[] = {dash};
    struct settings settings = {.files = files,
                                .file_count = 1,
                                .delimiter = '\n',
                                .max_record = 4 * OUT_MAX,
                                .threads = 2,
                                .block_size = BLOCK_BYTES};
    struct outcome outcome = {.more = false};
    struct block_pool *pool = block_pool_create(BLOCK_BYTES, 2);
    MUST(pool != NULL);
    struct reader *reader = reader_create(&settings, pool, NULL, -1);
    MUST(reader != NULL);
    fuzz_set_stdin(data, size, pipe);
    fuzz_cut_reads(cut);
    struct block *block;
    enum read_status status;
    while ((status = reader_next(reader, 0, &block)) == READ_BLOCK) {
        MUST(block->len > 0 && buf_append(&outcome.out, block->buf, block->len) == 0);
        block_destroy(pool, block);
        outcome.more = outcome.out.len > OUT_MAX;
        if (outcome.more) {
            break;
        }
    }
    MUST(outcome.more || status == READ_END);
    outcome.damaged = reader_damaged(reader);
    reader_destroy(reader);
    block_pool_destroy(pool);
    return outcome;
}

// Of what is damaged, libraries may give a little more or less before they notice.
static void must_agree(const struct outcome *a, const struct outcome *b)
{
    size_t less = a->out.len < b->out.len ? a->out.len : b->out.len;
    MUST(less == 0 || memcmp(a->out.bytes, b->out.bytes, less) == 0);
    if (!a->more && !b->more) {
        MUST(a->damaged == b->damaged);
        MUST(a->damaged || a->out.len == b->out.len);
    }
}

// Returns what came without cuts.
static struct outcome read_both(const unsigned char *data, size_t size, bool pipe)
{
    struct outcome whole = read_stdin(data, size, pipe, 0);
    struct outcome cut = read_stdin(data, size, pipe, fuzz_hash(data, size) | 1);
    must_agree(&whole, &cut);
    buf_free(&cut.out);
    return whole;
}

void fuzz_input(const unsigned char *data, size_t size)
{
    if (size > FUZZ_PIPE_BYTES) {
        return;
    }
    struct outcome file = read_both(data, size, false);
    struct outcome pipe = read_both(data, size, true);
    // 7z archives can be read from files alone. Of a zip archive a pipe shows what is ahead of each
    // member, a file the directory, which may leave some out.
    bool zip = detect_format(data, size, '\n', true) == FORMAT_ZIP;
    if (!file.damaged && !pipe.damaged && !zip) {
        must_agree(&file, &pipe);
    }
    buf_free(&file.out);
    buf_free(&pipe.out);
}
