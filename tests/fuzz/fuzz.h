// SPDX-License-Identifier: BSD-2-Clause
// What the fuzz targets have in common. A target is a function that gets bytes and aborts if
// something does not hold: libfuzzer.c tries bytes of its own (`make fuzz`), replay.c the files of
// the target's corpus (`make check`).

#ifndef PPROC_TESTS_FUZZ_FUZZ_H
#define PPROC_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name; // and that of its corpus
    void (*run)(const unsigned char *data, size_t size);
};

// All of them, and then one without a name.
extern const struct fuzz_target fuzz_targets[];

void fuzz_classify(const unsigned char *data, size_t size);
void fuzz_decode(const unsigned char *data, size_t size);
void fuzz_frame(const unsigned char *data, size_t size);
void fuzz_input(const unsigned char *data, size_t size);
void fuzz_joblog(const unsigned char *data, size_t size);
void fuzz_letter(const unsigned char *data, size_t size);
void fuzz_options(const unsigned char *data, size_t size);
void fuzz_plan(const unsigned char *data, size_t size);
void fuzz_reader(const unsigned char *data, size_t size);
void fuzz_replayed(const unsigned char *data, size_t size);
void fuzz_search(const unsigned char *data, size_t size);
void fuzz_units(const unsigned char *data, size_t size);
void fuzz_words(const unsigned char *data, size_t size);

// Something must hold, or must have worked.
#define MUST(condition) ((condition) ? (void)0 : fuzz_die(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_die(const char *condition, const char *file, int line);

// The bytes of an input, to be taken from the front.
struct feed {
    const unsigned char *bytes;
    size_t len;
};

// The next byte; 0 if there is none.
unsigned char feed_byte(struct feed *feed);

// What comes before the next NUL, which is taken too, or all. To be freed.
char *feed_word(struct feed *feed);

// Where the record at `off` ends, its delimiter included. off < len.
size_t fuzz_record_end(const char *bytes, size_t len, size_t off, char delimiter);

// From now on the program's reads are cut in a way that depends on the seed, and what can be read
// often seems not to be there yet. 0: they are as they are.
void fuzz_cut_reads(uint64_t seed);

// A number that depends on all of the bytes.
uint64_t fuzz_hash(const unsigned char *bytes, size_t len);

// Let the bytes be on standard input: in a file, or in a pipe, which can hold FUZZ_PIPE_BYTES.
void fuzz_set_stdin(const unsigned char *bytes, size_t len, bool pipe);
#define FUZZ_PIPE_BYTES ((size_t)64 * 1024)

#endif
