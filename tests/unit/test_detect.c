// SPDX-License-Identifier: BSD-2-Clause
// Detection: what is taken for compressed or an archive, what for text, and what is waited for.

#include "input/detect.h"
#include "tap.h"

#include <string.h>

static enum format detect(const void *bytes, size_t len, bool end)
{
    return detect_format(bytes, len, '\n', end);
}

static void put(unsigned char *to, const char *text)
{
    while (*text != '\0') {
        *to++ = (unsigned char)*text++;
    }
}

// A first tar header for a file of this name, checksum included.
static void make_tar_header(unsigned char header[DETECT_BYTES], const char *name)
{
    unsigned sum = 0;
    char field[8];
    memset(header, 0, DETECT_BYTES);
    put(header, name);
    put(header + 100, "0000644");
    put(header + 108, "0000000");
    put(header + 116, "0000000");
    put(header + 124, "00000000000");
    put(header + 136, "14123456701");
    put(header + 148, "        ");
    put(header + 257, "ustar");
    put(header + 263, "00");
    for (size_t i = 0; i < DETECT_BYTES; i++) {
        sum += header[i];
    }
    (void)snprintf(field, sizeof(field), "%06o", sum & 0777777);
    put(header + 148, field);
    header[154] = '\0';
}

struct sample {
    const char *name;
    enum format format;
    const char *bytes;
    size_t len;
};

#define SAMPLE(name, format, bytes)                                                                \
    {                                                                                              \
        name, format, bytes, sizeof(bytes) - 1                                                     \
    }

// The shortest beginning that decides.
static const struct sample samples[] = {
    SAMPLE("gzip", FORMAT_GZIP, "\x1f\x8b\x08\x1f"),
    SAMPLE("xz", FORMAT_XZ, "\xfd\x37zXZ\0"),
    SAMPLE("zstd", FORMAT_ZSTD, "\x28\xb5\x2f\xfd"),
    SAMPLE("lz4", FORMAT_LZ4, "\x04\x22\x4d\x18"),
    SAMPLE("7z", FORMAT_7Z, "7z\xbc\xaf\x27\x1c"),
    SAMPLE("bzip2", FORMAT_BZIP2, "BZh9\x31\x41\x59\x26\x53\x59"),
    SAMPLE("bzip2 of nothing", FORMAT_BZIP2, "BZh1\x17\x72\x45\x38\x50\x90"),
    SAMPLE("lzip", FORMAT_LZIP, "LZIP\1\x0c\0"),
    SAMPLE("compress", FORMAT_COMPRESS,
           "\x1f\x9d\x90"
           "a\0"),
    SAMPLE("zip", FORMAT_ZIP, "PK\3\4\x14\0\0\0\x08\0"),
    SAMPLE("zip of nothing", FORMAT_ZIP, "PK\5\6\0\0\0\0\0\0\0\0"),
    SAMPLE("zip, once split", FORMAT_ZIP, "PK\7\10PK\3\4"),
};

static const struct sample texts[] = {
    SAMPLE("gzip with reserved flags", FORMAT_PLAIN, "\x1f\x8b\x08\x20"),
    SAMPLE("gzip with another method", FORMAT_PLAIN, "\x1f\x8b\x07\0"),
    SAMPLE("BZh without a level", FORMAT_PLAIN, "BZh0"),
    SAMPLE("BZh9 and text", FORMAT_PLAIN, "BZh9 is how bzip2 begins"),
    SAMPLE("BZh9 and half a magic", FORMAT_PLAIN, "BZh9\x31\x41\x59\x26\x53\n"),
    SAMPLE("LZIP and text", FORMAT_PLAIN, "LZIP is a format"),
    SAMPLE("LZIP with a dictionary too small", FORMAT_PLAIN, "LZIP\1\x0b\0"),
    SAMPLE("LZIP with a dictionary too large", FORMAT_PLAIN, "LZIP\1\x1e\0"),
    SAMPLE("LZIP without a range coder", FORMAT_PLAIN, "LZIP\1\x0c\1"),
    SAMPLE("PK and text", FORMAT_PLAIN, "PKZIP made it"),
    SAMPLE("PK, a member and text", FORMAT_PLAIN, "PK\3\4text that goes on"),
    SAMPLE("compress with codes too short", FORMAT_PLAIN, "\x1f\x9d\x88"),
    SAMPLE("compress with codes too long", FORMAT_PLAIN, "\x1f\x9d\x91"),
    SAMPLE("compress with reserved bits", FORMAT_PLAIN, "\x1f\x9d\xb0"),
    SAMPLE("compress with a first code above 255", FORMAT_PLAIN,
           "\x1f\x9d\x90"
           "a\1"),
    SAMPLE("a line", FORMAT_PLAIN, "hello\n"),
    SAMPLE("a line that begins as a magic", FORMAT_PLAIN, "BZ\n"),
    SAMPLE("an empty line", FORMAT_PLAIN, "\n"),
    SAMPLE("mtree", FORMAT_PLAIN, "#mtree\n./file type=file\n"),
    SAMPLE("cpio", FORMAT_PLAIN, "070701000000010000\n"),
    SAMPLE("ar", FORMAT_PLAIN, "!<arch>\nfile/\n"),
    SAMPLE("warc", FORMAT_PLAIN, "WARC/1.0\r\nWARC-Type: warcinfo\r\n"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_magic(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *sample = &samples[i];
        bool undecided = true, plain = true;
        for (size_t len = 0; len < sample->len; len++) {
            undecided = undecided && detect(sample->bytes, len, false) == FORMAT_UNDECIDED;
            bool cut = (sample->format == FORMAT_GZIP || sample->format == FORMAT_COMPRESS) &&
                       len == 3; // which says enough at the end of the input
            plain = plain && (cut || detect(sample->bytes, len, true) == FORMAT_PLAIN);
        }
        OK(undecided, "%s: less than its magic is waited for", sample->name);
        OK(plain, "%s: less than its magic is text at the end", sample->name);
        OK(detect(sample->bytes, sample->len, false) == sample->format, "%s is known",
           sample->name);
        OK(detect(sample->bytes, sample->len, true) == sample->format, "%s is known at the end",
           sample->name);
    }
    OK(detect("\x1f\x8b\x08", 3, true) == FORMAT_GZIP, "gzip, cut behind its magic, is no text");
    OK(detect("\x1f\x9d\x90", 3, true) == FORMAT_COMPRESS, "compress of nothing is known");
}

static void test_texts(void)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const struct sample *text = &texts[i];
        char line[600];
        memset(line, 'x', sizeof(line));
        memcpy(line, text->bytes, text->len);
        line[text->len] = '\n';
        if (memchr(text->bytes, '\0', text->len) == NULL) { // else it might begin a tar archive
            OK(detect(line, text->len + 1, false) == FORMAT_PLAIN, "%s is text as it arrives",
               text->name);
        }
        OK(detect(text->bytes, text->len, true) == FORMAT_PLAIN, "%s is text at the end",
           text->name);
        OK(detect(line, sizeof(line), false) == FORMAT_PLAIN, "%s is text when more follows",
           text->name);
    }
    OK(detect("", 0, true) == FORMAT_PLAIN, "nothing at all is text");
}

static void test_tar(void)
{
    unsigned char header[DETECT_BYTES];
    make_tar_header(header, "file");
    OK(detect(header, DETECT_BYTES, false) == FORMAT_TAR, "a tar header is known");
    OK(detect(header, DETECT_BYTES - 1, false) == FORMAT_UNDECIDED, "less of it is waited for");
    OK(detect(header, 6, false) == FORMAT_UNDECIDED, "even as little as a name and a NUL");
    OK(detect(header, DETECT_BYTES - 1, true) == FORMAT_PLAIN, "less of it is text at the end");
    header[0]++;
    OK(detect(header, DETECT_BYTES, false) == FORMAT_PLAIN, "with a wrong checksum it is text");
    header[0]--;
    header[148] = '9';
    OK(detect(header, DETECT_BYTES, false) == FORMAT_PLAIN, "and with one that is no number");

    make_tar_header(header, "\xc3\xa9t\xc3\xa9");
    long sum = 0;
    for (size_t i = 0; i < DETECT_BYTES; i++) {
        sum += (signed char)(i >= 148 && i < 156 ? ' ' : header[i]);
    }
    (void)snprintf((char *)header + 148, 8, "%06lo", (unsigned long)sum);
    OK(detect(header, DETECT_BYTES, false) == FORMAT_TAR, "a sum of signed bytes will do");

    make_tar_header(header, "li\nne");
    OK(detect(header, 100, false) == FORMAT_PLAIN, "a delimiter before the NUL ends the wait");
    OK(detect(header, DETECT_BYTES, false) == FORMAT_TAR, "but a whole header is a header");
}

static void test_nuls(void)
{
    static const char nuls[1024];
    OK(detect(nuls, 100, false) == FORMAT_UNDECIDED, "a few NULs may begin a tar archive");
    OK(detect(nuls, 100, true) == FORMAT_PLAIN, "a few NULs and no more are text");
    OK(detect(nuls, sizeof(nuls), false) == FORMAT_PLAIN, "a run of NULs is text");
    OK(detect_format((const unsigned char *)"a\0", 2, '\0', false) == FORMAT_PLAIN,
       "a NUL that is the delimiter is not waited behind");
}

static void test_skipped_frames(void)
{
    static const char skipped[] = "\x5e\x2a\x4d\x18\3\0\0\0abc";
    char bytes[600] = "\x50\x2a\x4d\x18\xff\2"; // longer than what is looked at
    size_t len = sizeof(skipped) - 1;
    OK(detect(skipped, len, false) == FORMAT_UNDECIDED, "what follows skipped frames decides");
    OK(detect(skipped, 4, false) == FORMAT_UNDECIDED, "even if only the first magic is there");
    OK(detect(skipped, len, true) == FORMAT_ZSTD, "at the end they are of zstd");
    OK(detect(skipped, 4, true) == FORMAT_ZSTD, "even if they are cut");
    OK(detect(bytes, 10, false) == FORMAT_ZSTD, "and where the next one is far away");
    memcpy(bytes, skipped, len);
    memcpy(bytes + len, "\x28\xb5\x2f\xfd", 4);
    OK(detect(bytes, len + 4, false) == FORMAT_ZSTD, "a frame of zstd decides");
    memcpy(bytes + len, "\x04\x22\x4d\x18", 4);
    OK(detect(bytes, len + 4, false) == FORMAT_LZ4, "and one of lz4");
    OK(detect(bytes, len + 3, false) == FORMAT_UNDECIDED, "all of its magic is waited for");
}

static void test_empty_tar(void)
{
    static const unsigned char nuls[DETECT_BYTES];
    static const char *const names[] = {"a.tar", "a.tgz", "a.tar.gz", "a.tar.zst", "a.tar.Z"};
    static const char *const others[] = {"a", "-", "a.gz", "tar.gz", "a.tar.log", "a.zip"};
    for (size_t i = 0; i < COUNT(names); i++) {
        OK(detect_empty_tar(names[i], nuls, sizeof(nuls)), "NULs in %s are an archive", names[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        OK(!detect_empty_tar(others[i], nuls, sizeof(nuls)), "NULs in %s are text", others[i]);
    }
    OK(!detect_empty_tar("a.tar", nuls, sizeof(nuls) - 1), "less than a block is none");
    OK(!detect_empty_tar("a.tar", (const unsigned char *)"text", 4), "nor is text");
}

static void test_archive(void)
{
    unsigned char header[DETECT_BYTES];
    make_tar_header(header, "file");
    OK(detect_archive(header, DETECT_BYTES, '\n', false) == FORMAT_TAR, "tar is an archive");
    for (size_t i = 0; i < COUNT(samples); i++) {
        bool is = samples[i].format == FORMAT_ZIP || samples[i].format == FORMAT_7Z;
        enum format format =
            detect_archive((const unsigned char *)samples[i].bytes, samples[i].len, '\n', true);
        OK(format == (is ? samples[i].format : FORMAT_PLAIN), "%s is %s archive", samples[i].name,
           is ? "an" : "no");
    }
}

static void test_names(void)
{
    static const struct {
        const char *name;
        enum format format;
    } names[] = {
        {"a.gz", FORMAT_GZIP},   {"b/a.tgz", FORMAT_GZIP}, {"a.tar.gz", FORMAT_GZIP},
        {"a.bz2", FORMAT_BZIP2}, {"a.xz", FORMAT_XZ},      {"a.zst", FORMAT_ZSTD},
        {"a.lz4", FORMAT_LZ4},   {"a.lz", FORMAT_LZIP},    {"a.Z", FORMAT_COMPRESS},
        {"a.zip", FORMAT_ZIP},   {"a.7z", FORMAT_7Z},      {"a.tar", FORMAT_TAR},
        {"a.log", FORMAT_PLAIN}, {"-", FORMAT_PLAIN},      {"a.gz.log", FORMAT_PLAIN},
        {"agz", FORMAT_PLAIN},   {"", FORMAT_PLAIN},       {"a.z", FORMAT_PLAIN},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        OK(detect_name(names[i].name) == names[i].format, "the name '%s' promises what it should",
           names[i].name);
    }
}

int main(void)
{
    test_magic();
    test_texts();
    test_tar();
    test_nuls();
    test_skipped_frames();
    test_empty_tar();
    test_archive();
    test_names();
    return tap_done();
}
