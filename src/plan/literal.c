// SPDX-License-Identifier: BSD-2-Clause
// Finds what stands in a pattern literally and cannot be left out.
//
// Only what every match goes through counts: nothing of groups with alternatives, nor what may be
// repeated zero times. What stands beside a thing that varies is not next to what is behind it;
// assertions (^ $ \b) take no bytes, so they may stand between.

#include "plan/literal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// Bytes from frequent to rare; all others are rarer. Counted in bench/sample.log, the documents
// and the sources of pproc, with the same weight for each of the three.
static const char COMMON[] =
    " etsa0roni/\n1.chdlp2mu\"-:Tfwg6,4b3=5P98y_E7kv();[]+`HSx>JOIAz*'GLRN?&{}C$"
    "|UFD\\q#MBj<X!W@KQZ%Y^V\t~";

static size_t rank(int byte)
{
    const char *found = byte != '\0' ? strchr(COMMON, byte) : NULL;
    return found != NULL ? (size_t)(found - COMMON) : sizeof(COMMON);
}

// How rare the byte at `place` may be: where case does not count, the letter in lower case.
static size_t rarity(const struct literal *literal, size_t place)
{
    return rank(literal->bytes[place] | (unsigned char)~literal->masks[place]);
}

// A pattern that is being read.
struct reading {
    const char *at; // what comes next
    bool caseless;
    struct literal run;    // what a match has next to each other up to here
    struct literals found; // up to here
};

// How rare the literal may be.
static size_t worth(const struct literal *literal)
{
    size_t sum = 0;
    for (size_t i = 0; i < literal->len; i++) {
        sum += rarity(literal, i);
    }
    return sum;
}

// The place of its rarest byte; not `but`.
static size_t rarest(const struct literal *literal, size_t but)
{
    size_t place = but == 0 ? 1 : 0;
    for (size_t i = place + 1; i < literal->len; i++) {
        if (i != but && rarity(literal, i) > rarity(literal, place)) {
            place = i;
        }
    }
    return place;
}

static void add_literal(struct literals *literals, struct literal literal)
{
    literal.rare[0] = rarest(&literal, LITERAL_MAX);
    literal.rare[1] = rarest(&literal, literal.rare[0]);
    if (literals->count < LITERALS_MAX) {
        literals->list[literals->count++] = literal;
        return;
    }
    struct literal *least = &literals->list[0];
    for (size_t i = 1; i < LITERALS_MAX; i++) {
        if (worth(&literals->list[i]) < worth(least)) {
            least = &literals->list[i];
        }
    }
    if (worth(&literal) > worth(least)) {
        *least = literal;
    }
}

static void end_run(struct reading *reading)
{
    if (reading->run.len > 1) {
        add_literal(&reading->found, reading->run);
    }
    reading->run.len = 0;
}

static void add_byte(struct reading *reading, unsigned char byte)
{
    struct literal *run = &reading->run;
    if (run->len == LITERAL_MAX) {
        end_run(reading);
    }
    bool both = reading->caseless && isascii(byte) && isalpha(byte);
    run->masks[run->len] = both ? (unsigned char)~('a' ^ 'A') : 0xff;
    run->bytes[run->len] = byte & run->masks[run->len];
    run->len++;
}

// How often what was read last is there.
enum repeat {
    ONCE,
    AT_LEAST_ONCE,
    PERHAPS_NEVER,
};

// Reads a quantifier, if there is one.
static enum repeat read_repeat(struct reading *reading)
{
    const char *at = reading->at;
    enum repeat repeat;
    if (*at == '*' || *at == '?') {
        repeat = PERHAPS_NEVER;
    } else if (*at == '+') {
        repeat = AT_LEAST_ONCE;
    } else if (*at == '{' && isdigit((unsigned char)at[1])) {
        repeat = strtoul(at + 1, NULL, 10) > 0 ? AT_LEAST_ONCE : PERHAPS_NEVER;
        at += strcspn(at, "}");
    } else {
        return ONCE;
    }
    reading->at = at[1] == '?' ? at + 2 : at + 1; // lazy or not
    return repeat;
}

// `byte`, of which the quantifier comes next.
static void read_byte(struct reading *reading, unsigned char byte)
{
    enum repeat repeat = read_repeat(reading);
    if (repeat != PERHAPS_NEVER) {
        add_byte(reading, byte);
    }
    if (repeat != ONCE) {
        end_run(reading);
    }
    if (repeat == AT_LEAST_ONCE) { // what follows is next to the last one
        add_byte(reading, byte);
    }
}

static void read_varying(struct reading *reading)
{
    end_run(reading);
    (void)read_repeat(reading);
}

static void read_escape(struct reading *reading)
{
    const char *text = reading->at + 1;
    if (*text == 'x') { // always two digits
        reading->at += 4;
        read_byte(reading, (unsigned char)strtol((const char[]){text[1], text[2], '\0'}, NULL, 16));
        return;
    }
    reading->at += 2;
    if (*text != 'b' && *text != 'B') {
        read_varying(reading);
    }
}

static void read_class(struct reading *reading)
{
    reading->at += strcspn(reading->at, "]") + 1;
    read_varying(reading);
}

// Steps over the beginning of a group. False: it is none, as in (?i).
static bool open_group(struct reading *reading)
{
    const char *at = reading->at + 1;
    if (*at == '?') {
        at += strcspn(at, ":>)");
        reading->at = at + 1;
        return *at != ')';
    }
    reading->at = at;
    return true;
}

static bool read_alternatives(struct reading *reading);

static void read_group(struct reading *reading)
{
    if (!open_group(reading)) {
        return;
    }
    struct reading before = *reading;
    bool varies = read_alternatives(reading);
    reading->at++; // ')'
    enum repeat repeat = read_repeat(reading);
    if (varies || repeat == PERHAPS_NEVER) {
        before.at = reading->at;
        *reading = before;
    }
    if (varies || repeat != ONCE) {
        end_run(reading);
    }
}

// Reads up to the end of the group or of the pattern. Returns whether there is more than one.
static bool read_alternatives(struct reading *reading)
{
    bool several = false;
    while (*reading->at != '\0' && *reading->at != ')') {
        switch (*reading->at) {
        case '\\':
            read_escape(reading);
            break;
        case '[':
            read_class(reading);
            break;
        case '(':
            read_group(reading);
            break;
        case '.':
            reading->at++;
            read_varying(reading);
            break;
        case '|':
            several = true;
            reading->at++;
            break;
        case '^':
        case '$':
            reading->at++;
            break;
        default:
            read_byte(reading, (unsigned char)*reading->at++);
        }
    }
    return several;
}

struct literals literals_of_text(const char *text, bool caseless)
{
    struct reading reading = {.caseless = caseless};
    for (; *text != '\0'; text++) {
        add_byte(&reading, (unsigned char)*text);
    }
    end_run(&reading);
    return reading.found;
}

struct literals literals_of_pattern(const char *pattern, bool caseless)
{
    // Whether case counts is not followed through the groups.
    caseless |= strstr(pattern, "(?i") != NULL;
    struct reading reading = {.at = pattern, .caseless = caseless};
    if (read_alternatives(&reading)) {
        return (struct literals){0};
    }
    end_run(&reading);
    return reading.found;
}
