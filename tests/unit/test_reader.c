// SPDX-License-Identifier: BSD-2-Clause
// The reader: whatever comes in, in whatever pieces, goes out as blocks of whole records, byte for
// byte; what is wrong with an input is told once.

#include "cli/settings.h"
#include "input/input.h"
#include "input/line_matcher.h"
#include "input/reader.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OVERSIZE_HEAD ((size_t)64 * 1024)

static char dash[] = "-";
static char directory[] = "/tmp/test_reader.XXXXXX";

__attribute__((noreturn)) static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

struct bytes {
    char *at;
    size_t len;
};

static void write_fd(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);
        if (count < 0) {
            die("write");
        }
        bytes += count;
        len -= (size_t)count;
    }
}

// The name of a file with these bytes, valid until the next call but three.
static char *make_file(const char *name, const char *bytes, size_t len)
{
    static char paths[4][4096];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        die(path);
    }
    write_fd(fd, bytes, len);
    (void)close(fd);
    return path;
}

static char *make_text(const char *name, const char *text)
{
    return make_file(name, text, strlen(text));
}

// Compress a file of make_file(); the result is NAME.gz.
static char *compress_file(const char *path)
{
    static char compressed[4200];
    char command[9000];
    (void)snprintf(compressed, sizeof(compressed), "%s.gz", path);
    (void)snprintf(command, sizeof(command), "gzip -nc '%s' > '%s'", path, compressed);
    if (system(command) != 0) {
        die(command);
    }
    return compressed;
}

// A reader and what it needs.
struct rig {
    struct settings settings;
    struct block_pool *pool;
    struct reader *reader;
    int stop_fd;
    int saved_stderr, messages; // standard error goes to a file while the rig exists
};

static struct settings defaults(char **files, size_t count)
{
    return (struct settings){
        .files = files, .file_count = count, .delimiter = '\n', .max_record = 1 << 30};
}

// With --record-start records begin at lines that begin with this.
static bool begins_with_a(void *arg, const char *line, size_t len)
{
    (void)arg;
    return len > 0 && *line == 'a';
}

static const struct line_matcher starts = {.begins_record = begins_with_a};

// With blocks in memory that processes share, or elsewhere.
static void rig_create_in(struct rig *rig, struct settings settings, size_t block_size,
                          struct iovec shared)
{
    rig->settings = settings;
    rig->pool = block_pool_create_in(block_size, 2, shared);
    rig->stop_fd = eventfd(0, EFD_CLOEXEC);
    rig->reader = reader_create(&rig->settings, rig->pool, &starts, rig->stop_fd);
    rig->saved_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
    rig->messages = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (rig->pool == NULL || rig->reader == NULL || rig->messages < 0 ||
        dup2(rig->messages, 2) != 2) {
        die("rig_create");
    }
}

static void rig_create(struct rig *rig, struct settings settings, size_t block_size)
{
    rig_create_in(rig, settings, block_size, (struct iovec){0});
}

static void rig_destroy(struct rig *rig)
{
    reader_destroy(rig->reader);
    block_pool_destroy(rig->pool);
    (void)dup2(rig->saved_stderr, 2);
    (void)close(rig->saved_stderr);
    (void)close(rig->messages);
    (void)close(rig->stop_fd);
}

// What was said so far.
static const char *messages(const struct rig *rig)
{
    static char text[8192];
    ssize_t len = pread(rig->messages, text, sizeof(text) - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

// Was one thing said, with all of these in it?
static bool one_message(const struct rig *rig, const char *first, const char *second)
{
    const char *text = messages(rig), *end = strchr(text, '\n');
    bool one = end != NULL && end[1] == '\0' && strncmp(text, "pproc: ", 7) == 0 &&
               strstr(text, first) != NULL && strstr(text, second) != NULL;
    if (!one) {
        printf("# said: %s\n", text);
    }
    return one;
}

// The next block, which must hold just this text.
static bool next_is(struct rig *rig, size_t max_records, const char *text)
{
    struct block *block;
    enum read_status status = reader_next(rig->reader, max_records, &block);
    bool is = status == READ_BLOCK && block->oversize == 0 && block->len == strlen(text) &&
              memcmp(block->buf, text, block->len) == 0;
    if (status == READ_BLOCK) {
        block_destroy(rig->pool, block);
    } else {
        printf("# status %d\n", (int)status);
    }
    return is;
}

static bool next_status_is(struct rig *rig, enum read_status want)
{
    struct block *block = NULL;
    enum read_status status = reader_next(rig->reader, 0, &block);
    if (status == READ_BLOCK) {
        printf("# a block of %zu bytes\n", block->len);
        block_destroy(rig->pool, block);
    }
    return status == want;
}

static bool next_is_end(struct rig *rig)
{
    return next_status_is(rig, READ_END);
}

// What is expected of the blocks of one input.
struct want {
    struct bytes data;
    char delimiter;
    size_t max_record, max_records, block_size;
    size_t lines; // of a record; 0: one begins at each line that begins with 'a'
};

static size_t line_end(const struct want *want, size_t at)
{
    const char *end = memchr(want->data.at + at, want->delimiter, want->data.len - at);
    return end != NULL ? (size_t)(end - want->data.at) : want->data.len;
}

// Where the record ends that begins at `at`, its delimiter not included.
static size_t record_end(const struct want *want, size_t at)
{
    size_t end = line_end(want, at);
    for (size_t lines = 1; want->lines == 0 || lines < want->lines; lines++) {
        if (end + 1 >= want->data.len || (want->lines == 0 && want->data.at[end + 1] == 'a')) {
            return end;
        }
        end = line_end(want, end + 1);
    }
    return end;
}

// Does the index of the block, if it should have one, say that record `number` ends at `end`?
static bool is_indexed(const struct want *want, const struct block *block, size_t number,
                       size_t end)
{
    return want->lines == 1 ? block->ends == NULL
                            : number < block->end_count && block->ends[number] == end &&
                                  (number + 1 < block->end_count) == (end < block->len);
}

// What is wrong with a block that begins at `at` of the data, or NULL. *next: where the next is.
static const char *judge(const struct want *want, const struct block *block, size_t at,
                         size_t *next)
{
    if (block->offset != at || at >= want->data.len || block->delimiter != want->delimiter) {
        return "wrong place";
    }
    size_t end = record_end(want, at);
    if (end - at > want->max_record) {
        size_t head = end - at < OVERSIZE_HEAD ? end - at : OVERSIZE_HEAD;
        *next = end + (end < want->data.len);
        return block->oversize != end - at                         ? "wrong length of a long record"
               : block->len != head                                ? "wrong head of a long record"
               : memcmp(block->buf, want->data.at + at, head) != 0 ? "other bytes in a head"
               : block->records != 1                               ? "a head is miscounted"
               : !is_indexed(want, block, 0, head)                 ? "a head is split by its index"
                                                                   : NULL;
    }
    *next = at + block->len;
    if (block->oversize != 0 || block->len == 0 || *next > want->data.len) {
        return "wrong length";
    }
    if (memcmp(block->buf, want->data.at + at, block->len) != 0) {
        return "other bytes";
    }
    size_t records = 0;
    for (; at < *next; at = end + 1, records++) {
        end = record_end(want, at);
        if (end - at > want->max_record) {
            return "a record that is too long among others";
        }
        if (end >= *next && end < want->data.len) {
            return "a record is cut";
        }
        size_t next_record = end < want->data.len ? end + 1 : end;
        if (!is_indexed(want, block, records, next_record - (size_t)block->offset)) {
            return "the index is wrong";
        }
    }
    if (records > 1 && block->len > want->block_size + want->max_record + 1) {
        return "several records in a block that is too large";
    }
    return want->max_records == 0 && want->lines == 1
               ? (block->records != 0 ? "counted unasked" : NULL)
           : want->max_records > 0 && records > want->max_records ? "too many records"
           : records != block->records                            ? "a wrong number of records"
                                                                  : NULL;
}

// Is that there are too few lines at the end told, and nothing else?
static bool is_told(const struct rig *rig, const struct want *want)
{
    size_t lines = 0;
    for (size_t at = 0; at < want->data.len; at = line_end(want, at) + 1) {
        lines++;
    }
    if (want->lines == 0 || lines % want->lines == 0) {
        return messages(rig)[0] == '\0';
    }
    char text[80];
    (void)snprintf(text, sizeof(text), ": the last record has %zu of %zu lines\n",
                   lines % want->lines, want->lines);
    return one_message(rig, text, "");
}

// Do the blocks of an input add up to it? Says what is wrong if not.
static bool adds_up(struct rig *rig, const struct want *want)
{
    size_t at = 0;
    struct block *block;
    enum read_status status;
    while ((status = reader_next(rig->reader, want->max_records, &block)) == READ_BLOCK) {
        size_t next = at;
        const char *wrong = judge(want, block, at, &next);
        size_t len = block->len;
        block_destroy(rig->pool, block);
        if (wrong != NULL) {
            printf("# %s, in a block of %zu bytes at %zu of %zu; delimiter %d, max_record %zu, "
                   "max_records %zu, lines %zu, blocks of %zu\n",
                   wrong, len, at, want->data.len, want->delimiter, want->max_record,
                   want->max_records, want->lines, want->block_size);
            return false;
        }
        at = next;
    }
    if (status != READ_END || at != want->data.len) {
        printf("# status %d at %zu of %zu\n", (int)status, at, want->data.len);
    }
    return status == READ_END && at == want->data.len &&
           reader_bytes(rig->reader) == want->data.len && !reader_damaged(rig->reader) &&
           is_told(rig, want);
}

// Writes the data to a pipe in pieces.
struct feeder {
    struct bytes data;
    size_t piece;
    int fd;
};

static void *feed(void *arg)
{
    struct feeder *feeder = arg;
    for (size_t at = 0; at < feeder->data.len; at += feeder->piece) {
        size_t left = feeder->data.len - at;
        write_fd(feeder->fd, feeder->data.at + at, left < feeder->piece ? left : feeder->piece);
    }
    (void)close(feeder->fd);
    return NULL;
}

enum way { WAY_FILE, WAY_GZIP, WAY_PIPE };

// Read the data by way of standard input, which is a file or a pipe fed in such pieces.
static bool passes(const struct want *want, enum way way, size_t piece)
{
    struct rig rig;
    pthread_t thread;
    struct feeder feeder = {.data = want->data, .piece = piece};
    char *path = make_file("data", want->data.at, want->data.len);
    char *files[] = {way == WAY_FILE ? path : way == WAY_GZIP ? compress_file(path) : dash};
    struct settings settings = defaults(files, 1);
    settings.delimiter = want->delimiter;
    settings.max_record = want->max_record;
    settings.record_lines = want->lines;
    settings.record_start = want->lines == 0 ? "^a" : NULL;
    rig_create(&rig, settings, want->block_size);
    if (way == WAY_PIPE) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], 0) != 0) {
            die("pipe2");
        }
        (void)close(ends[0]);
        feeder.fd = ends[1];
        if (pthread_create(&thread, NULL, feed, &feeder) != 0) {
            die("pthread_create");
        }
    }
    bool right = adds_up(&rig, want);
    if (way == WAY_PIPE) {
        (void)close(0);
        if (!right) {
            printf("# in pieces of %zu\n", piece);
            exit(tap_done()); // the feeder may be stuck
        }
        (void)pthread_join(thread, NULL);
        (void)open("/dev/null", O_RDONLY);
    }
    rig_destroy(&rig);
    return right;
}

static bool passes_all_ways(const struct want *want)
{
    return passes(want, WAY_FILE, 0) && passes(want, WAY_GZIP, 0) && passes(want, WAY_PIPE, 1000) &&
           passes(want, WAY_PIPE, 70001);
}

static struct want plain_want(struct bytes data)
{
    return (struct want){
        .data = data, .delimiter = '\n', .max_record = 1 << 30, .block_size = 4096, .lines = 1};
}

// Records of these lengths, a negative one without its delimiter.
static struct bytes make_records(const long *lengths, size_t count)
{
    struct bytes data = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        size_t len = (size_t)labs(lengths[i]);
        data.at = realloc(data.at, data.len + len + 1);
        if (data.at == NULL) {
            die("realloc");
        }
        for (size_t j = 0; j < len; j++) {
            data.at[data.len++] = (char)('a' + (i + j) % 26);
        }
        if (lengths[i] >= 0) {
            data.at[data.len++] = '\n';
        }
    }
    return data;
}

#define CHECK_RECORDS(what, ...)                                                                   \
    do {                                                                                           \
        const long lengths_[] = {__VA_ARGS__};                                                     \
        struct bytes data_ = make_records(lengths_, sizeof(lengths_) / sizeof(lengths_[0]));       \
        struct want want_ = plain_want(data_);                                                     \
        OK(passes_all_ways(&want_), what);                                                         \
        free(data_.at);                                                                            \
    } while (0)

static void test_boundaries(void)
{
    CHECK_RECORDS("a record that fills a block with its delimiter", 4095, 10);
    CHECK_RECORDS("one whose delimiter is the first byte of the next read", 4096, 10);
    CHECK_RECORDS("one that is a byte longer", 4097, 10);
    CHECK_RECORDS("one that just fills a block, and nothing behind it", 4095);
    CHECK_RECORDS("one that fills a block and lacks its delimiter", -4096);
    CHECK_RECORDS("one that fills two blocks", 8191, 0, 8192, 0, 8193);
    CHECK_RECORDS("a last record without its delimiter", 10, 0, -3);
    CHECK_RECORDS("a single byte", -1);
    CHECK_RECORDS("a single delimiter", 0);
    CHECK_RECORDS("records much longer than a block", 100, 1000000, 5, 300000, -200000);
    CHECK_RECORDS("a long record behind short ones", 10, 10, 10, 65536, 10);
}

static void test_limit(void)
{
    static const size_t limits[] = {1, 4095, 4096, 65535, 65536, 100000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        long limit = (long)limits[i];
        struct bytes data = make_records(
            (const long[]){limit, limit + 1, 0, limit - 1, 3 * limit, 1, 70000, -limit}, 8);
        struct want want = plain_want(data);
        want.max_record = limits[i];
        OK(passes_all_ways(&want), "%zu bytes are not too long if that is the limit", limits[i]);
        want.max_records = 3;
        OK(passes_all_ways(&want), "nor when records are counted");
        want.lines = 2;
        OK(passes_all_ways(&want), "nor if they are two lines");
        want.lines = 0;
        OK(passes_all_ways(&want), "nor if a line tells where they begin");
        free(data.at);
    }
}

static void test_odd_bytes(void)
{
    static char newlines[20000], nuls[20000];
    memset(newlines, '\n', sizeof(newlines));
    struct want want = plain_want((struct bytes){newlines, sizeof(newlines)});
    OK(passes_all_ways(&want), "empty records only");
    want.data.at = nuls;
    OK(passes_all_ways(&want), "NULs only, which are one record");
    want.delimiter = '\0';
    OK(passes_all_ways(&want), "NULs that are the delimiter");
    want.data.at = newlines;
    OK(passes_all_ways(&want), "newlines that are not");
    want.data.len = 0;
    OK(passes_all_ways(&want), "nothing at all");
    want.data.len = sizeof(newlines);
    for (want.lines = 0; want.lines < 5; want.lines++) {
        want.delimiter = '\n';
        OK(passes_all_ways(&want), "empty lines, %zu of them a record", want.lines);
        want.delimiter = '\0';
        OK(passes_all_ways(&want), "a record that has one of %zu lines", want.lines);
    }
    want = plain_want((struct bytes){(char[]){"\xff\0\r\n\n\x80\xc3\n\r"}, 9});
    OK(passes_all_ways(&want), "bytes that are no text");
}

static struct bytes make_random(unsigned *seed)
{
    long lengths[200] = {0};
    size_t count = (size_t)rand_r(seed) % 200 + 1;
    for (size_t i = 0; i < count; i++) {
        int kind = rand_r(seed) % 40;
        lengths[i] = kind == 0   ? rand_r(seed) % 150000
                     : kind < 4  ? 4090 + rand_r(seed) % 10
                     : kind < 10 ? rand_r(seed) % 3000
                                 : rand_r(seed) % 40;
    }
    if (rand_r(seed) % 2 == 0) {
        lengths[count - 1] = -lengths[count - 1];
    }
    return make_records(lengths, count);
}

static void test_random(void)
{
    static const size_t limits[] = {1, 10, 39, 2999, 4096, 65535, 65536, 65537, 100000, 1 << 30};
    static const size_t counts[] = {0, 0, 1, 2, 3, 17, 1000};
    static const size_t sizes[] = {4096, 4097, 10000, 65536, 262144};
    static const size_t lines[] = {1, 0, 2, 4, 50};
    bool right = true;
    unsigned seed = 1;
    for (int i = 0; i < 500 && right; i++) {
        struct want want = plain_want(make_random(&seed));
        want.max_record = limits[(size_t)rand_r(&seed) % (sizeof(limits) / sizeof(limits[0]))];
        want.max_records = counts[(size_t)rand_r(&seed) % (sizeof(counts) / sizeof(counts[0]))];
        want.block_size = sizes[(size_t)rand_r(&seed) % (sizeof(sizes) / sizeof(sizes[0]))];
        want.lines = lines[(size_t)rand_r(&seed) % (sizeof(lines) / sizeof(lines[0]))];
        right = passes(&want,
                       i % 10 == 0  ? WAY_GZIP
                       : i % 2 == 0 ? WAY_PIPE
                                    : WAY_FILE,
                       (size_t)rand_r(&seed) % 100000 + 1);
        if (!right) {
            printf("# round %d\n", i);
        }
        free(want.data.at);
    }
    OK(right, "random records, limits, counts and sizes of blocks");
}

static void test_memory(void)
{
    struct bytes data = make_records((const long[]){5000000, 9000000}, 2);
    char *files[] = {make_file("long", data.at, data.len)};
    struct rig rig;
    struct block *block;
    rig_create(&rig, defaults(files, 1), 262144);
    bool read = reader_next(rig.reader, 0, &block) == READ_BLOCK;
    OK(read && block->len == 5000001 && block->cap <= 2 * 5000001,
       "a long record takes twice its length at most");
    OK(reader_bytes(rig.reader) <= 5000001 + 262144, "no more than a block is read ahead");
    if (read) {
        block_destroy(rig.pool, block);
    }
    rig_destroy(&rig);
    free(data.at);
}

static void set_stdin(int fd)
{
    if (dup2(fd, 0) != 0) {
        die("dup2");
    }
    if (fd != 0) {
        (void)close(fd);
    }
}

// A pipe on standard input; returns its other end.
static int pipe_to_stdin(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        die("pipe2");
    }
    set_stdin(ends[0]);
    return ends[1];
}

static void put(int fd, const char *text)
{
    write_fd(fd, text, strlen(text));
}

static void test_arrival(void)
{
    char *files[] = {dash};
    struct rig rig;
    int fd = pipe_to_stdin();
    rig_create(&rig, defaults(files, 1), 4096);
    put(fd, "a\nb");
    OK(next_is(&rig, 0, "a\n"), "a record that has arrived is not held up by one that has not");
    put(fd, "c\nd\ne");
    OK(next_is(&rig, 0, "bc\nd\n"), "a cut one is put together");
    put(fd, "\n");
    OK(next_is(&rig, 0, "e\n"), "with a delimiter that comes alone too");
    put(fd, "1\n2\n3\n4\n5");
    OK(next_is(&rig, 2, "1\n2\n"), "no more records go out than are asked for");
    OK(next_is(&rig, 1, "3\n"), "the others wait");
    OK(next_is(&rig, 5, "4\n"), "and do not wait for more");
    (void)close(fd);
    OK(next_is(&rig, 5, "5"), "the end is the end of the last record");
    OK(next_is_end(&rig) && !reader_damaged(rig.reader), "then all is read");
    OK(reader_bytes(rig.reader) == 18, "all bytes are counted");
    rig_destroy(&rig);
}

// Whatever the length of a cut record is.
static void test_shared_memory(void)
{
    enum { SIZE = 4096, COUNT = 8 };
    char *memory =
        mmap(NULL, SIZE * COUNT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *files[] = {dash};
    struct rig rig;
    int fd = pipe_to_stdin(), right = 0;
    if (memory == MAP_FAILED) {
        die("mmap");
    }
    rig_create_in(&rig, defaults(files, 1), SIZE, (struct iovec){memory, (size_t)SIZE * COUNT});
    put(fd, "a\n");
    for (size_t cut = 1; cut <= 200; cut++) {
        char text[256] = {0};
        struct block *block = NULL;
        memset(text, 'b', cut);
        put(fd, text);
        if (reader_next(rig.reader, 0, &block) == READ_BLOCK) {
            block_destroy(rig.pool, block);
        }
        put(fd, "\n");
        if (reader_next(rig.reader, 0, &block) == READ_BLOCK) {
            bool shared = block->buf >= memory && block->buf < memory + SIZE * COUNT;
            right += shared && block->len == cut + 1 && (uintptr_t)(block->buf + cut) % 64 == 0;
            block_destroy(rig.pool, block);
        }
        put(fd, "a\n");
    }
    OK(right == 200, "in memory of processes it is read to where a line of the cache begins: %d",
       right);
    (void)close(fd);
    rig_destroy(&rig);
    (void)munmap(memory, (size_t)SIZE * COUNT);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

#define LARGE ((size_t)8 * 1024 * 1024)

// Bytes of the first block of a large file.
static size_t first_block(bool (*waits)(void *arg))
{
    char *text = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i += 2) {
        memcpy(text + i, "x\n", 2);
    }
    char *files[] = {make_file("large", text, LARGE)};
    struct reader_demand demand = {.waits = waits, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct rig rig;
    struct block *block = NULL;
    rig_create(&rig, defaults(files, 1), LARGE);
    reader_fill_blocks(rig.reader, &demand);
    size_t len = reader_next(rig.reader, 0, &block) == READ_BLOCK ? block->len : 0;
    block_destroy(rig.pool, block);
    rig_destroy(&rig);
    (void)close(demand.fd);
    free(text);
    return len;
}

static void test_demand(void)
{
    size_t filled = first_block(never), some = first_block(always);
    OK(filled >= LARGE - LARGE / 8, "a block is filled while nobody waits for it: %zu", filled);
    OK(some >= LARGE / 4 && some < LARGE / 2, "else some of it goes out: %zu", some);
}

// gzip data that is flushed on the way gives what can be decoded.
static void test_gzip_arrival(void)
{
    char *files[] = {dash};
    struct rig rig;
    int fd = pipe_to_stdin();
    rig_create(&rig, defaults(files, 1), 4096);
    // A stored block "a\nb", one of "c\n", and a last one, of nothing.
    write_fd(fd, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    write_fd(fd,
             "\0\3\0\xfc\xff"
             "a\nb",
             8);
    OK(next_is(&rig, 0, "a\n"), "a record of compressed data goes out as soon as it is complete");
    write_fd(fd,
             "\0\2\0\xfd\xff"
             "c\n",
             7);
    OK(next_is(&rig, 0, "bc\n"), "and the next");
    write_fd(fd,
             "\1\0\0\xff\xff"
             "\xb0\x87\x9b\xe8"
             "\5\0\0\0",
             13);
    (void)close(fd);
    OK(next_is_end(&rig) && !reader_damaged(rig.reader), "with the checksum all is well");
    rig_destroy(&rig);
}

// Readable once this thread has begun to wait for something else.
static void *stop_late(void *arg)
{
    char state = '?';
    while (state != 'S') {
        FILE *file = fopen("/proc/self/stat", "r"); // of the first thread, which reads
        if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            die("/proc/self/stat");
        }
        (void)fclose(file);
        (void)sched_yield();
    }
    if (eventfd_write(*(int *)arg, 1) != 0) {
        die("eventfd_write");
    }
    return NULL;
}

static void test_stop(void)
{
    static char text[100000];
    struct rig rig;
    struct block *block;
    pthread_t thread;
    memset(text, '\n', sizeof(text));
    char *files[] = {make_file("large", text, sizeof(text)), dash};
    rig_create(&rig, defaults(files, 1), 4096);
    OK(reader_next(rig.reader, 0, &block) == READ_BLOCK, "a large file is begun");
    block_destroy(rig.pool, block);
    (void)eventfd_write(rig.stop_fd, 1);
    OK(next_status_is(&rig, READ_STOPPED), "a stop ends it");
    OK(!reader_damaged(rig.reader), "which is no damage");
    rig_destroy(&rig);

    int fd = pipe_to_stdin();
    rig_create(&rig, defaults(files + 1, 1), 4096);
    put(fd, "cut");
    if (pthread_create(&thread, NULL, stop_late, &rig.stop_fd) != 0) {
        die("pthread_create");
    }
    OK(next_status_is(&rig, READ_STOPPED), "a stop ends the wait for the rest of a record");
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    rig_destroy(&rig);
}

static void test_inputs(void)
{
    char *one = make_text("one", "1\n2"), *two = make_text("two", "3"), *none = make_text("no", "");
    char *files[] = {one, none, two, one};
    struct rig rig;
    struct block *block;
    rig_create(&rig, defaults(files, 4), 4096);
    OK(next_is(&rig, 0, "1\n2"), "the end of an input ends its last record");
    bool read = reader_next(rig.reader, 0, &block) == READ_BLOCK;
    OK(read && block->len == 1 && block->offset == 0 && block->input->name == two,
       "an empty input gives nothing, the next one has a name and offsets of its own");
    block_destroy(rig.pool, block);
    OK(next_is(&rig, 1, "1\n") && next_is(&rig, 1, "2"), "an input may come twice");
    OK(next_is_end(&rig) && next_is_end(&rig), "after the last one there is no more");
    OK(reader_bytes(rig.reader) == 7 && !reader_damaged(rig.reader), "all is counted");
    rig_destroy(&rig);
}

static void test_stdin_twice(void)
{
    char *files[] = {dash, dash};
    struct rig rig;
    int fd = pipe_to_stdin();
    put(fd, "a\n");
    (void)close(fd);
    rig_create(&rig, defaults(files, 2), 4096);
    OK(next_is(&rig, 0, "a\n") && next_is_end(&rig) && !reader_damaged(rig.reader),
       "standard input twice is all of it and nothing");
    rig_destroy(&rig);
    OK(fcntl(0, F_GETFD) >= 0, "it is not closed");

    set_stdin(open(make_text("middle", "1\n2\n3\n"), O_RDONLY | O_CLOEXEC));
    (void)lseek(0, 2, SEEK_SET);
    rig_create(&rig, defaults(files, 2), 4096);
    OK(next_is(&rig, 0, "2\n3\n") && next_is_end(&rig) && !reader_damaged(rig.reader),
       "a file on standard input is read from where it stands");
    rig_destroy(&rig);
}

// Read a name that cannot be read, between two files that can.
static void check_unreadable(const char *what, char *name, const char *message)
{
    char *files[] = {make_text("before", "1\n"), name, make_text("after", "2\n")};
    struct rig rig;
    rig_create(&rig, defaults(files, 3), 4096);
    OK(next_is(&rig, 0, "1\n") && next_is(&rig, 0, "2\n") && next_is_end(&rig),
       "%s is left out, the others are read", what);
    OK(reader_damaged(rig.reader), "%s is damage", what);
    OK(one_message(&rig, name, message), "%s is told once", what);
    rig_destroy(&rig);
}

static void test_unreadable(void)
{
    char missing[4200];
    (void)snprintf(missing, sizeof(missing), "%s/missing", directory);
    check_unreadable("a missing file", missing, "No such file");
    check_unreadable("a directory", directory, "directory");
    set_stdin(open("/", O_PATH | O_CLOEXEC));
    check_unreadable("a closed standard input", dash, "closed");
    set_stdin(open("/", O_RDONLY | O_CLOEXEC));
    check_unreadable("a directory on standard input", dash, "directory");
    set_stdin(open("/dev/null", O_RDONLY | O_CLOEXEC));
    check_unreadable("an empty file with the name of another kind", make_text("a.gz", ""), "empty");
    check_unreadable("text with the name of gzip", make_text("a.gz", "text\n"), "not gzip data");
    check_unreadable("text with the name of tar", make_text("a.tar", "text\n"),
                     "not a tar archive");
    check_unreadable("compress data that is damaged",
                     make_file("compress", "\x1f\x9d\x90\xff\xfe\xff", 6), "is damaged");
    char *zip = make_file("zip", "PK\3\4\x14\0\0\0\x08\0", 10);
    check_unreadable("a zip archive that is cut", zip, "the zip archive is damaged or cut");
    check_unreadable("one in gzip", compress_file(zip), "the zip archive is damaged or cut");
    char *seven = make_file("7z", "7z\xbc\xaf\x27\x1c", 6);
    check_unreadable("a 7z archive in gzip", compress_file(seven), "a 7z archive in gzip data");
}

// Damage to compressed data.
static void check_damaged(const char *what, const char *data, size_t len, const char *whole,
                          const char *message, const char *lost)
{
    char *files[] = {make_file("damaged.gz", data, len), make_text("after", "after\n")};
    struct rig rig;
    rig_create(&rig, defaults(files, 2), 4096);
    OK(next_is(&rig, 0, whole), "%s: what is whole is read", what);
    OK(next_is(&rig, 0, "after\n") && next_is_end(&rig), "%s: the next input too", what);
    OK(reader_damaged(rig.reader) && one_message(&rig, message, lost), "%s: it is told", what);
    rig_destroy(&rig);
}

static struct bytes load(const char *path)
{
    struct bytes bytes = {malloc(1 << 20), 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = bytes.at != NULL && fd >= 0 ? read(fd, bytes.at, 1 << 20) : -1;
    if (len < 0) {
        die(path);
    }
    (void)close(fd);
    bytes.len = (size_t)len;
    return bytes;
}

static void test_damaged(void)
{
    struct bytes gz = load(compress_file(make_text("text", "first\nsecond\nlast")));
    check_damaged("a cut checksum", gz.at, gz.len - 1, "first\nsecond\n", "ends early", "(4 bytes");
    gz.at[gz.len] = 'x';
    check_damaged("something behind", gz.at, gz.len + 1, "first\nsecond\nlast", "follows",
                  "damaged.gz");
    gz.at[gz.len - 5] ^= 1;
    check_damaged("a wrong checksum", gz.at, gz.len, "first\nsecond\n", "gzip data", "(4 bytes");
    free(gz.at);
}

static void test_shrinking(void)
{
    static char text[100000];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = i % 100 == 99 ? '\n' : 'x';
    }
    char *files[] = {make_file("shrinks", text, sizeof(text))};
    struct rig rig;
    struct block *block;
    uint64_t end = 0;
    rig_create(&rig, defaults(files, 1), 8192);
    enum read_status status = reader_next(rig.reader, 0, &block);
    if (truncate(files[0], 50050) != 0) {
        die("truncate");
    }
    for (; status == READ_BLOCK; status = reader_next(rig.reader, 0, &block)) {
        end = block->offset + block->len;
        block_destroy(rig.pool, block);
    }
    OK(status == READ_END && end == 50000, "of a file that shrinks the whole records are read");
    OK(reader_damaged(rig.reader) && one_message(&rig, "shorter", "(50 bytes"), "and it is told");
    rig_destroy(&rig);

    // What is left of it was read before it shrank.
    char *path = make_file("shrinks", text, 8192), *stdin_only[] = {dash};
    set_stdin(open(path, O_RDONLY | O_CLOEXEC));
    (void)lseek(0, 4096, SEEK_SET);
    rig_create(&rig, defaults(stdin_only, 1), 4096);
    OK(reader_next(rig.reader, 0, &block) == READ_BLOCK, "the second half of a file is read");
    block_destroy(rig.pool, block);
    if (truncate(path, 4096) != 0) {
        die("truncate");
    }
    while (reader_next(rig.reader, 0, &block) == READ_BLOCK) {
        block_destroy(rig.pool, block);
    }
    OK(!reader_damaged(rig.reader), "that it shrinks then is no damage");
    rig_destroy(&rig);
}

// Files of the kernel, which are not as long as they say.
static void test_odd_sizes(void)
{
    static char paths[][60] = {"/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled",
                               "/sys/devices/system/cpu/online"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *files[] = {paths[i]};
        struct rig rig;
        struct block *block;
        if (access(paths[i], R_OK) != 0) {
            continue;
        }
        rig_create(&rig, defaults(files, 1), 1 << 20);
        bool read = reader_next(rig.reader, 0, &block) == READ_BLOCK;
        OK(read && block->len > 0, "%s is read", paths[i]);
        if (read) {
            block_destroy(rig.pool, block);
        }
        OK(next_is_end(&rig) && !reader_damaged(rig.reader), "without complaint");
        rig_destroy(&rig);
    }
}

// A long record, and then one of `cut` bytes that the damage cuts.
static void check_long_and_damaged(long cut, const char *lost)
{
    struct bytes data = make_records((const long[]){5, 300000, -cut}, 3);
    struct bytes gz = load(compress_file(make_file("long", data.at, data.len)));
    char *files[] = {make_file("cut.gz", gz.at, gz.len - 8)};
    struct settings settings = defaults(files, 1);
    struct rig rig;
    struct block *block;
    settings.max_record = 1000;
    rig_create(&rig, settings, 4096);
    OK(next_is(&rig, 0, "abcde\n"), "a short record is read");
    bool read = reader_next(rig.reader, 0, &block) == READ_BLOCK;
    OK(read && block->oversize == 300000, "a long one behind it is known by its head");
    if (read) {
        block_destroy(rig.pool, block);
    }
    OK(next_is_end(&rig), "the one that is cut behind it is left out");
    OK(one_message(&rig, "ends early", lost), "of which all is told: %s)", lost);
    rig_destroy(&rig);
    free(data.at);
    free(gz.at);
}

static void test_long_and_damaged(void)
{
    check_long_and_damaged(200, "(200 bytes");
    check_long_and_damaged(200000, "(200000 bytes"); // too long as well
}

// A record that no memory is enough for. In a process of its own, which has little.
static void test_no_memory(void)
{
    char *path = make_text("huge", "");
    char *files[] = {path};
    if (truncate(path, (off_t)8 << 30) != 0) {
        die("truncate");
    }
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rig rig;
        struct settings settings = defaults(files, 1);
        struct rlimit limit = {256 << 20, 256 << 20};
        settings.max_record = (uint64_t)8 << 30;
        rig_create(&rig, settings, 262144);
        (void)setrlimit(RLIMIT_AS, &limit);
        struct block *block;
        bool right = reader_next(rig.reader, 0, &block) == READ_FAILED && errno == ENOMEM;
        rig_destroy(&rig);
        _exit(right ? 0 : 1);
    }
    int status;
    OK(child > 0 && waitpid(child, &status, 0) == child && status == 0,
       "a record that there is no memory for is a failure, and all is given back");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

// Are the blocks of two inputs, with headers, numbered as their records are?
static bool numbers_are_right(size_t lines, size_t max_records)
{
    long lengths[60] = {3};
    for (size_t i = 1; i < 60; i++) {
        lengths[i] = i % 20 == 7 ? 70000 : (long)(i * 37 % 300);
    }
    struct bytes data = make_records(lengths, 60);
    char *files[] = {make_file("numbered", data.at, data.len), NULL};
    files[1] = files[0];
    struct settings settings = defaults(files, 2);
    settings.record_lines = lines;
    settings.record_start = lines == 0 ? "^a" : NULL;
    settings.header_lines = 1;
    settings.max_record = 65536;
    settings.numbered = true;
    struct rig rig;
    rig_create(&rig, settings, 4096);
    struct want want = {.data = data, .delimiter = '\n', .lines = lines};
    uint64_t seq = 0, nr = 0;
    bool right = true;
    struct block *block;
    const struct input *input = NULL;
    while (reader_next(rig.reader, max_records, &block) == READ_BLOCK) {
        nr = block->input == input ? nr : 0;
        input = block->input;
        right = right && block->first_seq == seq + 1 && block->first_nr == nr + 1;
        size_t records = 0;
        for (size_t at = (size_t)block->offset, end = at + block->len; at < end; records++) {
            at = record_end(&want, at) + 1;
        }
        seq += records;
        nr += records;
        block_destroy(rig.pool, block);
    }
    size_t len;
    const char *header = reader_header(rig.reader, &len);
    right = right && len == 4 && memcmp(header, "abc\n", 4) == 0 && seq == 2 * nr && nr > 2;
    rig_destroy(&rig);
    free(data.at);
    return right;
}

static void test_numbers(void)
{
    OK(numbers_are_right(1, 0), "records are numbered in the run and in their input");
    OK(numbers_are_right(1, 2), "likewise when blocks have few");
    OK(numbers_are_right(2, 0), "records of two lines are");
    OK(numbers_are_right(0, 0), "and those that begin at lines that match");
}

// A large file is shared: most of its bytes are read by who has the blocks.
static void test_sharing(void)
{
    static const size_t size = 6000000;
    char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = i % 100 == 99 ? '\n' : 'x';
    }
    char *files[] = {make_file("large", bytes, size)};
    struct settings settings = defaults(files, 1);
    settings.self_serve = true;
    settings.threads = 2;
    settings.record_lines = 1;
    struct rig rig;
    rig_create(&rig, settings, 262144);
    struct block *block;
    size_t at = 0, shared = 0;
    bool right = true;
    while (reader_next(rig.reader, 0, &block) == READ_BLOCK) {
        if (block->file != 0) {
            shared += block->len;
            right = right && reader_load(rig.reader, block) == block->len && block->file == 0;
        }
        right = right && block->offset == at && block->len % 100 == 0 &&
                memcmp(block->buf, bytes + at, block->len) == 0;
        at += block->len;
        block_destroy(rig.pool, block);
    }
    OK(right && at == size && reader_bytes(rig.reader) == size, "a large file comes as it is");
    OK(shared > 1000000, "some of its blocks are read by who has them");
    rig_destroy(&rig);
    free(bytes);
}

int main(void)
{
    if (mkdtemp(directory) == NULL) {
        die(directory);
    }
    test_boundaries();
    test_limit();
    test_odd_bytes();
    test_numbers();
    test_sharing();
    test_random();
    test_memory();
    test_arrival();
    test_shared_memory();
    test_demand();
    test_gzip_arrival();
    test_stop();
    test_inputs();
    test_stdin_twice();
    test_unreadable();
    test_damaged();
    test_shrinking();
    test_odd_sizes();
    test_long_and_damaged();
    const char *sanitizer = getenv("SANITIZER"); // which needs the address space for itself
    if (sanitizer == NULL || *sanitizer == '\0') {
        test_no_memory();
    }
    (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
