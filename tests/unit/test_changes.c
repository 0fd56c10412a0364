// SPDX-License-Identifier: BSD-2-Clause
// Tests of plans that change records: that blocks which are searched for the first operation give
// what each record alone does. Generated operations and texts are compared: PAIRS=N in the
// environment says how many, SEED=N which.

#include "base/buf.h"
#include "cli/settings.h"
#include "core/block.h"
#include "core/result.h"
#include "drafts.h"
#include "plan/plan.h"
#include "plan/regex.h"
#include "tap.h"

#define TEXTS 16 // for each list of operations
#define MAX_OPS 4

// Compiled operations, and what they made of the last text.
struct side {
    struct plan *plan;
    struct plan_state *state;
    struct buf out;
    struct tally tally;
};

struct trial {
    struct settings settings;
    struct operation operations[MAX_OPS];
    struct draft drafts[MAX_OPS];
    struct side blocks, alone;
};

static void side_end(struct side *side)
{
    plan_state_destroy(side->state);
    plan_destroy(side->plan);
    buf_free(&side->out);
    *side = (struct side){0};
}

static bool side_begin(struct side *side, const struct settings *settings)
{
    silence(true);
    side->plan = plan_create(settings);
    silence(false);
    if (side->plan == NULL) {
        return false;
    }
    side->state = plan_state_create(side->plan, 1);
    if (side->state == NULL) {
        abort();
    }
    return true;
}

// Append what the plan makes of these records to the output.
static void side_run(struct side *side, char *bytes, size_t len)
{
    struct block block = {.delimiter = '\n', .buf = bytes, .len = len};
    struct result *result = result_create(&block, 0, len);
    if (result == NULL || plan_run(side->plan, side->state, result) != 0) {
        abort();
    }
    for (size_t i = 0; i < result->iov_count; i++) {
        if (buf_append(&side->out, result->iov[i].iov_base, result->iov[i].iov_len) != 0) {
            abort();
        }
    }
    side->tally.records += result->tally.records;
    side->tally.emitted += result->tally.emitted;
    side->tally.dropped += result->tally.dropped;
    side->tally.failed += result->tally.failed;
    result_destroy(result);
}

static void run_blocks(struct side *side, char *text, size_t len)
{
    side->tally = (struct tally){0};
    side->out.len = 0;
    side_run(side, text, len);
}

static void run_alone(struct side *side, char *text, size_t len)
{
    side->tally = (struct tally){0};
    side->out.len = 0;
    for (char *record = text, *end = text + len, *next; record < end; record = next) {
        char *stop = memchr(record, '\n', (size_t)(end - record));
        next = stop != NULL ? stop + 1 : end;
        side_run(side, record, (size_t)(next - record));
    }
}

static void make_operation(struct trial *trial, size_t i)
{
    static const char *const TEMPLATES[] = {"$0", "<$0>", "$0|$1", "$2$1", "", "\\n$1"};
    static const char *const TEXT_ENDS[] = {"\001<$0>\001g", "\001$1\001g",  "\001\001",
                                            "\001$0$0\0012", "\001\\n\001g", "\001-\001"};
    static const enum operation_kind KINDS[] = {OPERATION_MATCH, OPERATION_EXCLUDE, OPERATION_SUBST,
                                                OPERATION_SUBST, OPERATION_PRINT};
    struct draft *draft = &trial->drafts[i];
    enum operation_kind kind = PICK(KINDS);
    draft->len = 0;
    draft->text[0] = '\0';
    add(draft, kind == OPERATION_SUBST ? "s\001" : "");
    if (kind == OPERATION_PRINT) {
        add(draft, PICK(TEMPLATES));
    } else if (trial->settings.fixed_strings || below(4) == 0) {
        add_soup(draft);
    } else {
        add_alternatives(draft, 3);
    }
    add(draft, kind == OPERATION_SUBST ? PICK(TEXT_ENDS) : "");
    trial->operations[i] = (struct operation){.kind = kind, .pattern = draft->text};
}

// False: they are not valid, or none of them changes records.
static bool trial_begin(struct trial *trial)
{
    bool changes = false;
    trial->settings = (struct settings){.delimiter = '\n',
                                        .operations = trial->operations,
                                        .operation_count = 1 + below(MAX_OPS),
                                        .ignore_case = below(4) == 0,
                                        .fixed_strings = below(16) == 0};
    for (size_t i = 0; i < trial->settings.operation_count; i++) {
        make_operation(trial, i);
        enum operation_kind kind = trial->operations[i].kind;
        changes |= kind == OPERATION_SUBST || kind == OPERATION_PRINT;
    }
    struct settings alone = trial->settings;
    alone.delimiter = '\0'; // so no block is searched
    return changes && side_begin(&trial->blocks, &trial->settings) &&
           side_begin(&trial->alone, &alone);
}

static void trial_end(struct trial *trial)
{
    side_end(&trial->blocks);
    side_end(&trial->alone);
}

static bool same(const struct side *a, const struct side *b)
{
    return a->out.len == b->out.len &&
           (a->out.len == 0 || memcmp(a->out.bytes, b->out.bytes, a->out.len) == 0) &&
           a->tally.records == b->tally.records && a->tally.emitted == b->tally.emitted &&
           a->tally.dropped == b->tally.dropped;
}

static void show(const struct trial *trial, const char *text, size_t len)
{
    static const char *const NAMES[] = {"-m", "-v", "-s", "-p"};
    const struct settings *settings = &trial->settings;
    printf("#%s%s\n", settings->ignore_case ? " -i" : "", settings->fixed_strings ? " -F" : "");
    for (size_t i = 0; i < settings->operation_count; i++) {
        const char *pattern = trial->operations[i].pattern;
        show_bytes(NAMES[trial->operations[i].kind], pattern, strlen(pattern));
    }
    show_bytes("on", text, len);
    show_bytes("alone", trial->alone.out.bytes, trial->alone.out.len);
    show_bytes("block", trial->blocks.out.bytes, trial->blocks.out.len);
}

static void test_pairs(void)
{
    const uint64_t pairs = number("PAIRS", 100000);
    random_state = number("SEED", 1);
    static struct trial trial;
    uint64_t done = 0, changed = 0, gave_up = 0;
    bool equal = true;
    while (equal && done < pairs) {
        for (unsigned i = trial_begin(&trial) ? TEXTS : 0; equal && i > 0; i--, done++) {
            char text[MAX_TEXT];
            size_t len = make_text(text);
            run_blocks(&trial.blocks, text, len);
            run_alone(&trial.alone, text, len);
            // How many steps a record takes depends on how a pattern is written.
            bool failed = trial.alone.tally.failed > 0 || trial.blocks.tally.failed > 0;
            gave_up += failed;
            equal = failed || same(&trial.blocks, &trial.alone);
            changed += trial.blocks.tally.emitted > 0 && trial.blocks.out.len != len;
            if (!equal) {
                show(&trial, text, len);
            }
        }
        trial_end(&trial);
    }
    OK(equal, "%ju pairs of operations and texts: blocks give what records give", (uintmax_t)done);
    OK(changed > pairs / 4, "in %ju of them records changed", (uintmax_t)changed);
    OK(gave_up < pairs / 100, "in %ju a pattern gave up", (uintmax_t)gave_up);
}

int main(void)
{
    test_pairs();
    return tap_done();
}
