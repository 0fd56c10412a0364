// SPDX-License-Identifier: BSD-2-Clause
// The table of keys, and the turns of records.

#include "core/keys.h"

#include <stdlib.h>

#define BUCKETS_MIN 64

int keys_init(struct keys *keys, unsigned jobs)
{
    *keys = (struct keys){.jobs = jobs, .bucket_count = BUCKETS_MIN};
    keys->buckets = calloc(BUCKETS_MIN, sizeof(struct key *));
    return keys->buckets != NULL ? 0 : -1;
}

void keys_destroy(struct keys *keys)
{
    for (size_t i = 0; keys->buckets != NULL && i < keys->bucket_count; i++) {
        while (keys->buckets[i] != NULL) {
            struct key *next = keys->buckets[i]->next;
            free(keys->buckets[i]);
            keys->buckets[i] = next;
        }
    }
    free(keys->buckets);
}

static struct key **bucket(const struct keys *keys, uint64_t hash)
{
    return &keys->buckets[hash & (keys->bucket_count - 1)];
}

// Without memory the table stays as it is, and is slower.
static void grow(struct keys *keys)
{
    struct key **old = keys->buckets;
    size_t count = keys->bucket_count;
    struct key **buckets = calloc(2 * count, sizeof(*buckets));
    if (buckets == NULL) {
        return;
    }
    keys->buckets = buckets;
    keys->bucket_count = 2 * count;
    for (size_t i = 0; i < count; i++) {
        struct key *next;
        for (struct key *key = old[i]; key != NULL; key = next) {
            struct key **link = bucket(keys, key->hash);
            next = key->next;
            key->next = *link;
            *link = key;
        }
    }
    free(old);
}

static struct key *key_create(struct keys *keys, uint64_t hash)
{
    struct key *key = calloc(1, sizeof(*key));
    if (key != NULL) {
        struct key **link = bucket(keys, hash);
        key->hash = hash;
        key->next = *link;
        *link = key;
        if (++keys->count > keys->bucket_count) {
            grow(keys);
        }
    }
    return key;
}

// As long as some share a key, those that are new do: they may be among them.
static struct key *find_key(struct keys *keys, uint64_t hash)
{
    struct key *key = *bucket(keys, hash);
    while (key != NULL && key->hash != hash) {
        key = key->next;
    }
    if (key == NULL && keys->shared.read == keys->shared.ended) {
        key = key_create(keys, hash);
    }
    return key != NULL ? key : &keys->shared;
}

void keys_admit(struct keys *keys, struct block *block)
{
    for (size_t i = 0; i < block->keyed_count; i++) {
        struct keyed *record = &block->keyed[i];
        if (record->hash != 0) {
            record->key = find_key(keys, record->hash);
            record->turn = record->key->read++;
        }
    }
}

// The next task to start of those that wait in the key. NULL: none may.
static struct result *take_next(struct keys *keys, struct key *key)
{
    const struct result *first = key->waiting.root;
    if (first == NULL || (uint64_t)first->task.due != key->started || keys_is_full(keys, key)) {
        return NULL;
    }
    keys->waiting--;
    return retry_pop(&key->waiting); // of which queue_next is NULL
}

struct result *keys_start(struct keys *keys, const struct keyed *record, uint64_t task)
{
    struct key *key = record->key;
    if (key == NULL) {
        return NULL;
    }
    key->task = task;
    key->started++;
    return take_next(keys, key);
}

// All records of the key have ended.
static void remove_key(struct keys *keys, struct key *key)
{
    struct key **link = bucket(keys, key->hash);
    if (key == &keys->shared) {
        return;
    }
    while (*link != key) {
        link = &(*link)->next;
    }
    *link = key->next;
    free(key);
    keys->count--;
}

struct result *keys_end(struct keys *keys, const struct keyed *record)
{
    struct key *key = record->key;
    if (key == NULL) {
        return NULL;
    }
    key->delayed = false;
    if (++key->ended == key->read) {
        remove_key(keys, key);
        return NULL;
    }
    return take_next(keys, key);
}

void keys_wait(struct keys *keys, struct result *result)
{
    const struct keyed *record = &result->task.block->keyed[result->task.index];
    result->task.passed = true;
    result->task.due = (int64_t)record->turn;
    retry_push(&record->key->waiting, result);
    keys->waiting++;
}

static void take_waiting(struct key *key, struct result **tasks)
{
    while (key->waiting.root != NULL) {
        struct result *result = retry_pop(&key->waiting);
        result->queue_next = *tasks;
        *tasks = result;
    }
}

struct result *keys_take_all(struct keys *keys)
{
    struct result *tasks = NULL;
    take_waiting(&keys->shared, &tasks);
    for (size_t i = 0; keys->waiting > 0 && i < keys->bucket_count; i++) {
        for (struct key *key = keys->buckets[i]; key != NULL; key = key->next) {
            take_waiting(key, &tasks);
        }
    }
    keys->waiting = 0;
    return tasks;
}
