// SPDX-License-Identifier: BSD-2-Clause
// Records get the hashes of their keys. One on which the pattern is given up has none.

#include "run/record_key.h"

#include "base/diag.h"
#include "core/records.h"
#include "plan/plan.h"
#include "plan/regex.h"

#include <errno.h>
#include <stdlib.h>

int record_key_init(struct record_key *key, const struct plan *plan)
{
    *key = (struct record_key){.regex = plan_key(plan)};
    if (key->regex == NULL) {
        return 0;
    }
    key->matcher = matcher_create();
    key->captures = captures_create(2);
    if (key->matcher == NULL || key->captures == NULL) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

void record_key_destroy(struct record_key *key)
{
    matcher_destroy(key->matcher);
    captures_destroy(key->captures);
}

// FNV-1a, but 0 is left for records without a key.
static uint64_t hash_bytes(const char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    }
    return hash != 0 ? hash : 1;
}

static uint64_t key_of(struct record_key *key, const struct record *record)
{
    int found =
        regex_find(key->regex, key->matcher, key->captures, record->bytes, record->len, 0, false);
    if (found < 0 && !key->told) {
        key->told = true;
        diag_warn("a record of %zu bytes is taken to have no key: %s", record->len,
                  matcher_error(key->matcher));
    }
    const size_t *group = key->captures->offsets + 2;
    if (found <= 0 || group[0] == SIZE_MAX) {
        return 0;
    }
    return hash_bytes(record->bytes + group[0], group[1] - group[0]);
}

int record_key_note(struct record_key *key, struct block *block)
{
    if (key->regex == NULL) {
        return 0;
    }
    size_t count = (size_t)records_in_block(block, 0, block->len);
    block->keyed = calloc(count, sizeof(block->keyed[0]));
    if (block->keyed == NULL) {
        return -1;
    }
    struct records records = records_within(block, 0, block->len);
    struct record record;
    while (records_next(&records, &record)) {
        block->keyed[block->keyed_count++].hash = key_of(key, &record);
    }
    return 0;
}
