// SPDX-License-Identifier: BSD-2-Clause
// Writes an access log of any size to standard output: the same bytes every time, so that the log
// of a smaller size is the beginning of that of a larger one.
//
// What the benchmark's patterns find in it: `" 500 ` in 1 % of the lines, GET and POST of
// /api/vN/users/N in 22 %, a query and a referrer of example.com or .org together in 10 %.

#include "base/units.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define FIRST_SECOND 1767225600 // 2026-01-01 00:00:00 UTC
#define LINE_BYTES 256          // more than any line has

// splitmix64: small, fast and the same everywhere.
static uint64_t random_next(void)
{
    static uint64_t state;
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// From 0 to n - 1.
static unsigned below(unsigned n)
{
    return (unsigned)((random_next() >> 32) * n >> 32);
}

#define PICK(array) (array)[below(sizeof(array) / sizeof *(array))]

// The time of a line, as the log shows it; about 400 lines share a second.
static const char *stamp(void)
{
    static char text[32];
    static time_t second = FIRST_SECOND;
    if (text[0] == '\0' || below(400) == 0) {
        second++;
        strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", gmtime(&second));
    }
    return text;
}

static const char *method(void)
{
    unsigned n = below(100);
    return n < 70 ? "GET" : n < 90 ? "POST" : n < 95 ? "PUT" : "DELETE";
}

static const char *status(void)
{
    static const char *const others[] = {"201", "204", "301", "302", "304", "400", "403", "404"};
    unsigned n = below(100);
    return n < 1 ? "500" : n < 2 ? "503" : n < 75 ? "200" : PICK(others);
}

static const char *user(void)
{
    static const char *const names[] = {"alice", "bob",  "carol", "dave",  "erin",
                                        "frank", "mary", "oscar", "peggy", "walter"};
    return below(3) == 0 ? "-" : PICK(names);
}

// 24.4 % are users of the API; 90 % of those come by GET or POST.
static int path(char *text, size_t size)
{
    static const char *const pages[] = {"/search/results",     "/checkout/payment",
                                        "/static/js/app.js",   "/images/products/large",
                                        "/account/settings",   "/blog/archive/latest",
                                        "/static/css/main.css"};
    unsigned version = 1 + below(3);
    if (below(1000) < 244) {
        return snprintf(text, size, "/api/v%u/users/%u", version, below(1000000));
    }
    if (below(3) == 0) {
        return snprintf(text, size, "/api/v%u/orders/%u", version, below(10000000));
    }
    return snprintf(text, size, "%s", PICK(pages));
}

// 40 % have one.
static int query(char *text, size_t size)
{
    if (below(5) >= 2) {
        return 0;
    }
    const char *order = below(2) == 0 ? "name" : "date";
    return snprintf(text, size, "?page=%u&sort=%s", below(200), order);
}

// 25 % are of example.com or example.org.
static const char *referrer(void)
{
    static const char *const ours[] = {"https://www.example.com/", "https://www.example.org/cart"};
    static const char *const others[] = {"https://search.test/?q=shoe", "-",
                                         "https://news.test/today"};
    return below(4) == 0 ? PICK(ours) : PICK(others);
}

// Each draw stands in a statement of its own: the order in which the arguments of a call are
// evaluated differs between compilers.
static size_t make_line(char line[LINE_BYTES])
{
    uint32_t ip = (uint32_t)random_next();
    const char *who = user();
    const char *when = stamp();
    const char *verb = method();
    int len = snprintf(line, LINE_BYTES, "%u.%u.%u.%u - %s [%s] \"%s ", 1 + ip % 223, ip >> 8 & 255,
                       ip >> 16 & 255, ip >> 24, who, when, verb);
    len += path(line + len, LINE_BYTES - (size_t)len);
    len += query(line + len, LINE_BYTES - (size_t)len);
    const char *code = status();
    unsigned bytes = below(90000);
    const char *from = referrer();
    unsigned slowest = below(10) == 0 ? 5000 : 100;
    len += snprintf(line + len, LINE_BYTES - (size_t)len, " HTTP/1.1\" %s %u \"%s\" %ums\n", code,
                    bytes, from, below(slowest));
    return (size_t)len;
}

int main(int argc, char **argv)
{
    uint64_t left;
    if (argc != 2 || units_parse_size(argv[1], &left) != 0) {
        fprintf(stderr, "usage: make-log SIZE > FILE    (SIZE: bytes at most, as in 1M or 10G)\n");
        return 2;
    }
    char line[LINE_BYTES];
    for (size_t len = make_line(line); len <= left; len = make_line(line)) {
        if (fwrite(line, 1, len, stdout) != len) {
            break;
        }
        left -= len;
    }
    if (ferror(stdout) || fclose(stdout) != 0) {
        perror("make-log: standard output");
        return 1;
    }
    return 0;
}
