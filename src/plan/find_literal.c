// SPDX-License-Identifier: BSD-2-Clause
// Looks for the two rarest bytes of a literal at their distance, and where both are for the rest.

#include "plan/find_literal.h"

#include "plan/literal.h"

#include <stdbool.h>
#include <string.h>

static bool is_at(const struct literal *literal, const char *bytes)
{
    for (size_t i = 0; i < literal->len; i++) {
        if (((unsigned char)bytes[i] & literal->masks[i]) != literal->bytes[i]) {
            return false;
        }
    }
    return true;
}

// `last`: the last place where it can begin.
static const char *find_plain(const struct literal *literal, const char *at, const char *last)
{
    size_t rare = literal->rare[0];
    for (; at <= last; at++) {
        if (literal->masks[rare] == 0xff) {
            at = memchr(at + rare, literal->bytes[rare], (size_t)(last - at) + 1);
            if (at == NULL) {
                return NULL;
            }
            at -= rare;
        }
        if (is_at(literal, at)) {
            return at;
        }
    }
    return NULL;
}

#ifdef __x86_64__

#include <immintrin.h>

#define LANES 32
#define AVX2 __attribute__((target("avx2")))

// A byte of the literal in all lanes.
struct lanes {
    size_t place;
    __m256i bytes, masks;
};

AVX2 static inline struct lanes lanes_of(const struct literal *literal, size_t place)
{
    return (struct lanes){place, _mm256_set1_epi8((char)literal->bytes[place]),
                          _mm256_set1_epi8((char)literal->masks[place])};
}

// All ones where the byte is that of the literal, for LANES places from `at` on.
AVX2 static inline __m256i equal(const struct lanes *lanes, const char *at)
{
    const void *place = at + lanes->place; // at any address
    __m256i bytes = _mm256_loadu_si256(place);
    return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, lanes->masks), lanes->bytes);
}

AVX2 static const char *find_avx2(const struct literal *literal, const char *at, const char *last)
{
    struct lanes first = lanes_of(literal, literal->rare[0]);
    struct lanes second = lanes_of(literal, literal->rare[1]);
    for (; last - at >= LANES - 1; at += LANES) {
        __m256i both = _mm256_and_si256(equal(&first, at), equal(&second, at));
        for (unsigned hits = (unsigned)_mm256_movemask_epi8(both); hits != 0; hits &= hits - 1) {
            const char *hit = at + __builtin_ctz(hits);
            if (is_at(literal, hit)) {
                return hit;
            }
        }
    }
    return find_plain(literal, at, last);
}

#endif

const char *literal_find(const struct literal *literal, const char *bytes, size_t len)
{
    if (len < literal->len) {
        return NULL;
    }
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return find_avx2(literal, bytes, bytes + (len - literal->len));
    }
#endif
    return find_plain(literal, bytes, bytes + (len - literal->len));
}

const char *literal_find_plain(const struct literal *literal, const char *bytes, size_t len)
{
    return len < literal->len ? NULL : find_plain(literal, bytes, bytes + (len - literal->len));
}
