// SPDX-License-Identifier: BSD-2-Clause
// What kind of data an input is, by its first bytes.
//
// Text must never be taken for anything else, and a slow pipe must not be waited for. So a magic
// number that text might begin with ("BZh1", "LZIP", "PK", 1f 9d) counts only if the header behind
// it fits too, and a tar archive needs a first header with the right checksum. The others are
// decisive alone: what begins with one is compressed, and if the rest does not fit it is damaged.

#include "input/detect.h"

#include <string.h>

// The first bytes of an input.
struct head {
    const unsigned char *bytes;
    size_t len;
    char delimiter; // of records
    bool end;       // the input has no more
};

enum fit {
    FIT_NO,
    FIT_MORE, // what is there fits, but that is not all
    FIT_YES,
};

// Do the bytes at `off` equal these?
static enum fit fit_bytes(const struct head *head, size_t off, const char *bytes, size_t len)
{
    size_t have = head->len > off ? head->len - off : 0;
    if (have > 0 && memcmp(head->bytes + off, bytes, have < len ? have : len) != 0) {
        return FIT_NO;
    }
    return have < len ? FIT_MORE : FIT_YES;
}

#define FIT(head, off, string) fit_bytes(head, off, string, sizeof(string) - 1)

// With legal flags.
static enum fit fit_gzip(const struct head *head)
{
    enum fit magic = FIT(head, 0, "\x1f\x8b\x08");
    if (magic != FIT_YES) {
        return magic;
    }
    if (head->len == 3) {
        return head->end ? FIT_YES : FIT_MORE; // cut here it is damaged, not text
    }
    return (head->bytes[3] & 0xe0) == 0 ? FIT_YES : FIT_NO;
}

static enum fit fit_xz(const struct head *head)
{
    return FIT(head, 0, "\xfd\x37zXZ\0");
}

// Where the frames end that are to be skipped: zstd and lz4 have the same, and may begin with them.
static size_t skip_frames(const struct head *head)
{
    size_t off = 0;
    while (off + 8 <= head->len && (head->bytes[off] & 0xf0) == 0x50 &&
           memcmp(head->bytes + off + 1, "\x2a\x4d\x18", 3) == 0) {
        const unsigned char *size = head->bytes + off + 4;
        off += 8 + (size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24);
    }
    return off;
}

static enum fit fit_lz4(const struct head *head)
{
    size_t off = skip_frames(head);
    return off < DETECT_BYTES ? FIT(head, off, "\x04\x22\x4d\x18") : FIT_NO;
}

// Also frames to be skipped, unless one of lz4 follows, which may have to be waited for.
static enum fit fit_zstd(const struct head *head)
{
    enum fit frame = FIT(head, 0, "\x28\xb5\x2f\xfd");
    if (frame != FIT_NO || (head->bytes[0] & 0xf0) != 0x50) {
        return frame;
    }
    enum fit skip = FIT(head, 1, "\x2a\x4d\x18");
    bool undecided = head->len < 8 || fit_lz4(head) == FIT_MORE;
    return skip == FIT_YES && undecided && !head->end ? FIT_MORE : skip;
}

// Then the size of a block, and the magic of the first one or of the end.
static enum fit fit_bzip2(const struct head *head)
{
    enum fit magic = FIT(head, 0, "BZh");
    if (magic != FIT_YES || head->len == 3) {
        return magic == FIT_NO ? FIT_NO : FIT_MORE;
    }
    if (head->bytes[3] < '1' || head->bytes[3] > '9') {
        return FIT_NO;
    }
    enum fit block = FIT(head, 4, "\x31\x41\x59\x26\x53\x59");
    return block != FIT_NO ? block : FIT(head, 4, "\x17\x72\x45\x38\x50\x90");
}

// Then a version, the size of a dictionary (2^12 to 2^29), and a range coder, which begins with 0.
static enum fit fit_lzip(const struct head *head)
{
    enum fit magic = FIT(head, 0, "LZIP");
    if (magic != FIT_YES) {
        return magic;
    }
    if (head->len > 4 && head->bytes[4] > 1) {
        return FIT_NO;
    }
    if (head->len > 5 && ((head->bytes[5] & 0x1f) < 12 || (head->bytes[5] & 0x1f) > 29)) {
        return FIT_NO;
    }
    return FIT(head, 6, "\0");
}

// Then the bits of a code (9 to 16), and the first code, 9 bits, which stands for a byte.
static enum fit fit_compress(const struct head *head)
{
    enum fit magic = FIT(head, 0, "\x1f\x9d");
    if (magic != FIT_YES || head->len == 2) {
        return magic == FIT_NO ? FIT_NO : FIT_MORE;
    }
    unsigned char bits = head->bytes[2] & 0x7f;
    if (bits < 9 || bits > 16) {
        return FIT_NO;
    }
    if (head->len < 5) {
        return head->len == 3 && head->end ? FIT_YES : FIT_MORE; // of nothing, the header is all
    }
    return (head->bytes[4] & 1) == 0 ? FIT_YES : FIT_NO;
}

// A member, with the version it needs and a method; or the end of an archive of nothing; or the
// mark of a split archive that is whole, and a member.
static enum fit fit_zip(const struct head *head)
{
    enum fit member = FIT(head, 0, "PK\3\4");
    if (member == FIT_NO) {
        enum fit empty = FIT(head, 0, "PK\5\6\0\0\0\0\0\0\0\0");
        return empty != FIT_NO ? empty : FIT(head, 0, "PK\7\10PK\3\4");
    }
    if (head->len > 4 && head->bytes[4] > 99) {
        return FIT_NO;
    }
    return head->len < 10 ? FIT_MORE : FIT(head, 9, "\0");
}

static enum fit fit_7z(const struct head *head)
{
    return FIT(head, 0, "7z\xbc\xaf\x27\x1c");
}

// The number in the checksum field of a tar header, or -1: octal digits, with blanks around them.
static long tar_checksum_field(const unsigned char *field)
{
    size_t i = 0;
    while (i < 8 && field[i] == ' ') {
        i++;
    }
    if (i == 8 || field[i] < '0' || field[i] > '7') {
        return -1;
    }
    long sum = 0;
    for (; i < 8 && field[i] >= '0' && field[i] <= '7'; i++) {
        sum = sum * 8 + (field[i] - '0');
    }
    return i == 8 || field[i] == ' ' || field[i] == '\0' ? sum : -1;
}

// The sum is of unsigned bytes; old programs took them as signed.
static bool tar_checksum_fits(const unsigned char *header)
{
    long plain = 0, with_sign = 0;
    for (size_t i = 0; i < DETECT_BYTES; i++) {
        unsigned char byte = i >= 148 && i < 156 ? ' ' : header[i];
        plain += byte;
        with_sign += (signed char)byte;
    }
    long field = tar_checksum_field(header + 148);
    return field == plain || field == with_sign;
}

// Waiting for the whole header must not hold up a record: the name in it ends in a NUL, and a
// delimiter that comes first ends the wait.
static enum fit fit_tar(const struct head *head)
{
    if (head->len >= DETECT_BYTES) {
        return tar_checksum_fits(head->bytes) ? FIT_YES : FIT_NO;
    }
    const unsigned char *end = memchr(head->bytes, head->delimiter, head->len);
    if (end == NULL) {
        return FIT_MORE;
    }
    return memchr(head->bytes, '\0', (size_t)(end - head->bytes)) != NULL ? FIT_MORE : FIT_NO;
}

struct signature {
    enum format format;
    enum fit (*fit)(const struct head *head);
};

static const struct signature streams[] = {
    {FORMAT_GZIP, fit_gzip},         {FORMAT_BZIP2, fit_bzip2}, {FORMAT_XZ, fit_xz},
    {FORMAT_LZ4, fit_lz4},           {FORMAT_ZSTD, fit_zstd},   {FORMAT_LZIP, fit_lzip},
    {FORMAT_COMPRESS, fit_compress},
};

static const struct signature archives[] = {
    {FORMAT_TAR, fit_tar},
    {FORMAT_ZIP, fit_zip},
    {FORMAT_7Z, fit_7z},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum format detect(const struct head *head, const struct signature *signatures, size_t count)
{
    enum format format = FORMAT_PLAIN;
    for (size_t i = 0; i < count; i++) {
        enum fit fit = signatures[i].fit(head);
        if (fit == FIT_YES) {
            return signatures[i].format;
        }
        if (fit == FIT_MORE && !head->end) {
            format = FORMAT_UNDECIDED;
        }
    }
    return format;
}

enum format detect_archive(const unsigned char *bytes, size_t len, char delimiter, bool end)
{
    struct head head = {bytes, len, delimiter, end};
    return detect(&head, archives, COUNT(archives));
}

enum format detect_format(const unsigned char *bytes, size_t len, char delimiter, bool end)
{
    struct head head = {bytes, len, delimiter, end};
    enum format format = detect(&head, streams, COUNT(streams));
    if (format != FORMAT_PLAIN && format != FORMAT_UNDECIDED) {
        return format;
    }
    enum format archive = detect_archive(bytes, len, delimiter, end);
    return archive != FORMAT_PLAIN ? archive : format;
}

// The names that promise a format.
static const struct name_end {
    const char *suffix;
    enum format format;
} name_ends[] = {
    {".gz", FORMAT_GZIP},  {".tgz", FORMAT_GZIP}, {".bz2", FORMAT_BZIP2}, {".xz", FORMAT_XZ},
    {".zst", FORMAT_ZSTD}, {".lz4", FORMAT_LZ4},  {".lz", FORMAT_LZIP},   {".Z", FORMAT_COMPRESS},
    {".zip", FORMAT_ZIP},  {".7z", FORMAT_7Z},    {".tar", FORMAT_TAR},
};

static bool ends_in(const char *name, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

static const struct name_end *find_name_end(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < COUNT(name_ends); i++) {
        if (ends_in(name, len, name_ends[i].suffix)) {
            return &name_ends[i];
        }
    }
    return NULL;
}

enum format detect_name(const char *name)
{
    const struct name_end *end = find_name_end(name);
    return end != NULL ? end->format : FORMAT_PLAIN;
}

// "x.tar", "x.tgz", "x.tar.zst".
static bool promises_tar(const char *name)
{
    const struct name_end *end = find_name_end(name);
    if (end == NULL) {
        return false;
    }
    return end->format == FORMAT_TAR || strcmp(end->suffix, ".tgz") == 0 ||
           ends_in(name, strlen(name) - strlen(end->suffix), ".tar");
}

bool detect_empty_tar(const char *name, const unsigned char *bytes, size_t len)
{
    static const unsigned char nuls[DETECT_BYTES];
    return len >= sizeof(nuls) && memcmp(bytes, nuls, sizeof(nuls)) == 0 && promises_tar(name);
}
