/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that hides who a record is about: a column becomes a number that is always the same for
 * the same text, and different with another key.
 *
 *     pproc --plugin=./pseudonym.so,1:secret access.log
 *
 * Columns are divided by single spaces and count from 1. A record that lacks the column fails.
 */

#include <pproc-plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What each worker has: no locks are needed. */
struct pseudonym {
    unsigned long column;
    uint64_t key;
    char *bytes; /* the changed record */
    size_t size;
};

/* FNV-1a: quick, and good enough for an example; it keeps no secret from someone who wants to know.
 */
static uint64_t hash(uint64_t start, const char *bytes, size_t len)
{
    uint64_t sum = start;
    size_t i;
    for (i = 0; i < len; i++) {
        sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    }
    return sum;
}

static int open_worker(const char *arg, unsigned worker, void **state, char *error)
{
    char *end = NULL;
    unsigned long column = arg != NULL ? strtoul(arg, &end, 10) : 0;
    struct pseudonym *pseudonym;
    (void)worker;
    if (column == 0 || *end != ':') {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "its argument is COLUMN:KEY, as in 1:secret");
        return PPROC_FAILED;
    }
    pseudonym = calloc(1, sizeof(*pseudonym));
    if (pseudonym == NULL) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "no memory");
        return PPROC_FAILED;
    }
    pseudonym->column = column;
    pseudonym->key = hash(UINT64_C(14695981039346656037), end + 1, strlen(end + 1));
    *state = pseudonym;
    return PPROC_DONE;
}

static void close_worker(void *state)
{
    struct pseudonym *pseudonym = state;
    free(pseudonym->bytes);
    free(pseudonym);
}

/* Where a column begins; NULL: there is none. */
static const char *find_column(const struct pproc_record *in, unsigned long column)
{
    const char *begin = in->bytes, *end = in->bytes + in->len;
    while (--column > 0) {
        begin = memchr(begin, ' ', (size_t)(end - begin));
        if (begin == NULL) {
            return NULL;
        }
        begin++;
    }
    return begin;
}

static int reserve(struct pseudonym *pseudonym, size_t size)
{
    char *bytes;
    if (size <= pseudonym->size) {
        return 0;
    }
    bytes = realloc(pseudonym->bytes, size);
    if (bytes == NULL) {
        return -1;
    }
    pseudonym->bytes = bytes;
    pseudonym->size = size;
    return 0;
}

static int record(void *state, const struct pproc_record *in, struct pproc_output *out, char *error)
{
    struct pseudonym *pseudonym = state;
    const char *begin = find_column(in, pseudonym->column), *stop, *end = in->bytes + in->len;
    size_t before, behind;
    char name[17];
    if (begin == NULL) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "there is no column %lu", pseudonym->column);
        return PPROC_FAILED;
    }
    stop = memchr(begin, ' ', (size_t)(end - begin));
    stop = stop != NULL ? stop : end;
    before = (size_t)(begin - in->bytes);
    behind = (size_t)(end - stop);
    if (reserve(pseudonym, before + sizeof(name) + behind) != 0) {
        snprintf(error, PPROC_PLUGIN_ERROR_SIZE, "no memory");
        return PPROC_FAILED;
    }
    snprintf(name, sizeof(name), "%016llx",
             (unsigned long long)hash(pseudonym->key, begin, (size_t)(stop - begin)));
    memcpy(pseudonym->bytes, in->bytes, before);
    memcpy(pseudonym->bytes + before, name, sizeof(name) - 1);
    memcpy(pseudonym->bytes + before + sizeof(name) - 1, stop, behind);
    return pproc_emit(out, pseudonym->bytes, before + sizeof(name) - 1 + behind);
}

const struct pproc_plugin pproc_plugin = {
    PPROC_PLUGIN_ABI, "pseudonym", "1.0", open_worker, record, close_worker,
};
