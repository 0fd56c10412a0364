// SPDX-License-Identifier: BSD-2-Clause
// Tests of plans with plugins: that operations in one plan give what each of them gives alone, one
// behind the other, and that a list of the records is the same. PAIRS=N in the environment says how
// many plans are made up, SEED=N which.

#include "base/buf.h"
#include "cli/settings.h"
#include "core/block.h"
#include "core/result.h"
#include "drafts.h"
#include "plan/plan.h"
#include "tap.h"

#define MAX_OPS 5
#define TEXTS 4 // for each list of operations

static char player[4096]; // the path of the plugin, and a comma

struct outcome {
    struct buf out;
    struct tally tally;
};

static struct result *task_of(struct block *block, const struct buf *text)
{
    *block = (struct block){.delimiter = '\n', .buf = text->bytes, .len = text->len};
    struct result *result = result_create(block, 0, text->len);
    if (result == NULL) {
        abort();
    }
    return result;
}

static void must_append(struct buf *buf, const char *bytes, size_t len)
{
    if (buf_append(buf, bytes, len) != 0) {
        abort();
    }
}

static struct plan *must_compile(struct operation *operations, size_t count, unsigned retries)
{
    const struct settings settings = {
        .delimiter = '\n', .operations = operations, .operation_count = count, .retries = retries};
    struct plan *plan = plan_create(&settings);
    if (plan == NULL) {
        abort();
    }
    return plan;
}

// What the operations make of the text, in one plan.
static void run(struct operation *operations, size_t count, const struct buf *text,
                struct outcome *outcome)
{
    struct block block;
    struct plan *plan = must_compile(operations, count, 0);
    struct plan_state *state = plan_state_create(plan, 1);
    struct result *result = task_of(&block, text);
    if (state == NULL || plan_run(plan, state, result) != 0) {
        abort();
    }
    outcome->out.len = 0;
    for (size_t i = 0; i < result->iov_count; i++) {
        must_append(&outcome->out, result->iov[i].iov_base, result->iov[i].iov_len);
    }
    outcome->tally = result->tally;
    result_destroy(result);
    plan_state_destroy(state);
    plan_destroy(plan);
}

// Likewise, of a list of the records. False: they are not in the order of the input.
static bool run_list(struct operation *operations, size_t count, const struct buf *text,
                     struct outcome *outcome)
{
    struct block block;
    struct plan *plan = must_compile(operations, count, 0);
    struct plan_state *state = plan_state_create(plan, 1);
    struct result *result = task_of(&block, text);
    struct survivors survivors;
    if (state == NULL || plan_list(plan, state, result, &survivors) != 0) {
        abort();
    }
    bool ordered = true;
    outcome->out.len = 0;
    for (size_t i = 0; i < survivors.count; i++) {
        must_append(&outcome->out, survivors.records[i].iov_base, survivors.records[i].iov_len);
        must_append(&outcome->out, "\n", 1);
        ordered = ordered && (i == 0 || survivors.begins[i] >= survivors.begins[i - 1]);
    }
    outcome->tally = result->tally;
    result_destroy(result);
    plan_state_destroy(state);
    plan_destroy(plan);
    return ordered;
}

// The operations one behind the other, each a plan of its own.
static void run_apart(struct operation *operations, size_t count, const struct buf *text,
                      struct outcome *outcome)
{
    struct buf input = {0};
    must_append(&input, text->bytes, text->len);
    for (size_t i = 0; i < count; i++) {
        run(&operations[i], 1, &input, outcome);
        input.len = 0;
        must_append(&input, outcome->out.bytes, outcome->out.len);
    }
    buf_free(&input);
}

static void draw_text(struct buf *text)
{
    text->len = 0;
    for (unsigned i = below(60); i > 0; i--) {
        must_append(text, &"aabbcc  xy\n\n"[below(12)], 1);
    }
    must_append(text, "\n", 1); // else an empty record of several would be none
}

static struct operation draw_operation(char *value, size_t size)
{
    static const char *const parts[] = {
        "pass", "upper", "again=1", "words= ", "words=b", "drop", "drop=empty"};
    static const char *const substs[] = {"s/a/bc/g", "s/^./x y/", "s/b *//", "s/$/ z/"};
    static const char *const patterns[] = {"a", "b c", "^$", "x|y", "[A-Z]"};
    switch (below(4)) {
    case 0:
        return (struct operation){below(2) ? OPERATION_MATCH : OPERATION_EXCLUDE, PICK(patterns)};
    case 1:
        return (struct operation){OPERATION_SUBST, PICK(substs)};
    default:
        break;
    }
    // Most plugins leave something.
    unsigned part = below(sizeof(parts) / sizeof(parts[0]) + 3);
    snprintf(value, size, "%s%s", player, parts[part < 7 ? part : part - 7]);
    return (struct operation){OPERATION_PLUGIN, value};
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return a->out.len == b->out.len &&
           (a->out.len == 0 || memcmp(a->out.bytes, b->out.bytes, a->out.len) == 0);
}

static uint64_t lines(const struct buf *buf)
{
    uint64_t count = 0;
    for (size_t i = 0; i < buf->len; i++) {
        count += buf->bytes[i] == '\n';
    }
    return count;
}

static bool balances(const struct outcome *outcome, const struct buf *text)
{
    const struct tally *tally = &outcome->tally;
    return tally->records == lines(text) && tally->failed == 0 &&
           tally->records == tally->emitted + tally->dropped &&
           tally->emitted + tally->more == lines(&outcome->out);
}

static void test_apart(void)
{
    const uint64_t pairs = number("PAIRS", 1000);
    struct buf text = {0};
    struct outcome whole = {0}, apart = {0}, list = {0};
    uint64_t wrong = 0, some = 0;
    for (uint64_t pair = 0; pair < pairs && wrong == 0; pair++) {
        char values[MAX_OPS][sizeof(player) + 32];
        struct operation operations[MAX_OPS];
        size_t count = 1 + below(MAX_OPS);
        for (size_t i = 0; i < count; i++) {
            operations[i] = draw_operation(values[i], sizeof(values[i]));
        }
        for (int i = 0; i < TEXTS; i++) {
            draw_text(&text);
            run(operations, count, &text, &whole);
            run_apart(operations, count, &text, &apart);
            bool ordered = run_list(operations, count, &text, &list);
            wrong += !is_same(&whole, &apart) || !is_same(&whole, &list) || !ordered ||
                     !balances(&whole, &text) || !balances(&list, &text);
            some += whole.tally.more > 0 && whole.tally.dropped > 0;
        }
        for (size_t i = 0; wrong > 0 && i < count; i++) {
            printf("# %d %s\n", operations[i].kind, operations[i].pattern);
        }
    }
    OK(wrong == 0, "one plan gives what its operations give apart");
    OK(some > pairs / 20, "of some texts records become several, and others none");
    buf_free(&text);
    buf_free(&whole.out);
    buf_free(&apart.out);
    buf_free(&list.out);
}

static void test_retriable(void)
{
    char value[sizeof(player) + 32];
    snprintf(value, sizeof(value), "%sflaky=2", player);
    struct operation operation = {OPERATION_PLUGIN, value};
    struct buf text = {0};
    struct block block;
    must_append(&text, "1\n2\n77\n3\n", 9);
    struct plan *plan = must_compile(&operation, 1, 1);
    struct plan_state *state = plan_state_create(plan, 1);
    struct result *result = task_of(&block, &text);
    OK(plan_run(plan, state, result) == PLAN_RETRIABLE, "a plugin may ask for another attempt");
    const struct retriable *retriable = plan_retriable(state);
    OK(retriable->off == 4 && retriable->len == 3 && retriable->cause->error == ERROR_PLUGIN,
       "it is told of which record");
    OK(result->tally.records == 2 && result->tally.emitted == 2 && result->own_len == 4 &&
           memcmp(result->own, "1\n2\n", 4) == 0,
       "the result is that of the records before");
    result_clear(result);
    struct survivors survivors;
    OK(plan_list(plan, state, result, &survivors) == PLAN_RETRIABLE && retriable->off == 4,
       "there is no list then");
    result_clear(result);
    result->task.attempts = 1;
    OK(plan_run(plan, state, result) == 0 && result->tally.emitted == 4,
       "the plugin knows which attempt it is");
    result_destroy(result);
    plan_state_destroy(state);
    plan_destroy(plan);
    buf_free(&text);
}

int main(void)
{
    const char *builddir = getenv("builddir");
    snprintf(player, sizeof(player), "%s/tests/plugins/player.so,", builddir ? builddir : ".");
    random_state = number("SEED", 1) * 2 + 1;
    test_apart();
    test_retriable();
    return tap_done();
}
