// SPDX-License-Identifier: BSD-2-Clause
// Tests of the plan: which records are kept, and the account of the others.

#include "plan/plan.h"

#include "cli/settings.h"
#include "core/block.h"
#include "core/result.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

// Takes 10 million steps on a record of many a's and a b.
#define CATASTROPHE "(a+)+$"
#define MANY_AS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"

#define MATCH(re)                                                                                  \
    {                                                                                              \
        OPERATION_MATCH, re                                                                        \
    }
#define EXCLUDE(re)                                                                                \
    {                                                                                              \
        OPERATION_EXCLUDE, re                                                                      \
    }

static struct block block = {.delimiter = '\n'};

// Everything that a run of a plan needs and gives.
struct trial {
    struct plan *plan;
    struct plan_state *state;
    struct result *result;
    char out[4096];
};

static void begin(struct trial *trial, const struct settings *settings)
{
    trial->plan = plan_create(settings);
    trial->state = plan_state_create(trial->plan, 1);
    trial->result = NULL;
    trial->out[0] = '\0';
}

static void end(struct trial *trial)
{
    result_destroy(trial->result);
    plan_state_destroy(trial->state);
    plan_destroy(trial->plan);
}

// Run the plan on a part of the block; the output goes to `out`.
static const struct tally *run_part(struct trial *trial, size_t off, size_t len)
{
    result_destroy(trial->result);
    trial->result = result_create(&block, off, len);
    if (plan_run(trial->plan, trial->state, trial->result) != 0) {
        abort();
    }
    char *end = trial->out;
    for (size_t i = 0; i < trial->result->iov_count; i++) {
        const struct iovec *piece = &trial->result->iov[i];
        end = mempcpy(end, piece->iov_base, piece->iov_len);
    }
    *end = '\0';
    return &trial->result->tally;
}

static const struct tally *run_all(struct trial *trial, const char *text)
{
    block.buf = (char *)text; // the plan does not write to it
    block.len = strlen(text);
    return run_part(trial, 0, block.len);
}

// The output of one run of these operations.
static const char *filtered(struct trial *trial, struct operation *operations, size_t count,
                            const char *text)
{
    const struct settings settings = {
        .delimiter = '\n', .operations = operations, .operation_count = count};
    begin(trial, &settings);
    run_all(trial, text);
    end(trial);
    return trial->out;
}

static bool is(const struct tally *tally, uint64_t records, uint64_t emitted, uint64_t dropped,
               uint64_t failed)
{
    return tally->records == records && tally->emitted == emitted && tally->dropped == dropped &&
           tally->failed == failed;
}

static void test_pass_through(void)
{
    struct trial trial;
    const struct settings settings = {0};
    begin(&trial, &settings);

    OK(is(run_all(&trial, "a\n\nb"), 3, 3, 0, 0), "without operations every record is emitted");
    OK(strcmp(trial.out, "a\n\nb") == 0, "as it is");
    OK(is(run_part(&trial, 2, 2), 2, 2, 0, 0), "of a part of the block");
    OK(strcmp(trial.out, "\nb") == 0, "that part");
    end(&trial);
}

static void test_filter(void)
{
    struct trial trial;
    OK(strcmp(filtered(&trial, (struct operation[]){MATCH("b")}, 1, "a\nb\n\nbc\nd\nb"),
              "b\nbc\nb") == 0,
       "match keeps what matches");
    OK(strcmp(filtered(&trial, (struct operation[]){EXCLUDE("b")}, 1, "a\nb\n\nbc\nd\nb"),
              "a\n\nd\n") == 0,
       "exclude drops it");
    OK(strcmp(filtered(&trial, (struct operation[]){MATCH("a"), EXCLUDE("b"), MATCH("c")}, 3,
                       "a\nac\nabc\nca\nc\n"),
              "ac\nca\n") == 0,
       "of several operations all must keep it");
    OK(strcmp(filtered(&trial, (struct operation[]){MATCH("^$")}, 1, "a\n\nb\n"), "\n") == 0,
       "an empty record can match, and nothing is seen after the last delimiter");
    OK(strcmp(filtered(&trial, (struct operation[]){MATCH("\n")}, 1, "a\nb\n"), "") == 0,
       "the delimiter is no part of the record");
    OK(strcmp(filtered(&trial, (struct operation[]){MATCH("")}, 1, "a\n\nb"), "a\n\nb") == 0,
       "the empty pattern keeps everything");
}

static void test_flags(void)
{
    struct trial trial;
    struct operation operation = MATCH("A.");
    struct settings settings = {.delimiter = '\n', .operations = &operation, .operation_count = 1};

    settings.ignore_case = true;
    begin(&trial, &settings);
    OK(is(run_all(&trial, "ab\nA.\n."), 3, 2, 1, 0), "ignore_case holds for patterns");
    end(&trial);

    settings.fixed_strings = true;
    begin(&trial, &settings);
    OK(is(run_all(&trial, "ab\na.\n."), 3, 1, 2, 0), "and for plain text");
    OK(strcmp(trial.out, "a.\n") == 0, "which matches itself alone");
    end(&trial);
}

static void test_delimiter(void)
{
    struct trial trial;
    struct operation operation = MATCH("^b");
    const struct settings settings = {
        .delimiter = ';', .operations = &operation, .operation_count = 1};
    begin(&trial, &settings);

    block.delimiter = ';';
    OK(is(run_all(&trial, "a\nb;b;cb"), 3, 1, 2, 0), "records end at the delimiter of the block");
    OK(strcmp(trial.out, "b;") == 0, "and keep it");
    block.delimiter = '\n';
    end(&trial);
}

static void test_copy(void)
{
    struct trial trial;
    struct operation operation = MATCH("a");
    const struct settings settings = {
        .delimiter = '\n', .operations = &operation, .operation_count = 1};
    begin(&trial, &settings);

    block.buf = NULL;
    trial.result = result_create(&block, 100, 4);
    trial.result->task.copy = strdup("a\nb\n");
    trial.result->task.copy_off = trial.result->task.off;
    OK(plan_run(trial.plan, trial.state, trial.result) == 0 && is(&trial.result->tally, 2, 1, 1, 0),
       "a task that has a copy of its bytes needs no block");
    end(&trial);
}

static void test_failures(void)
{
    struct trial trial;
    struct operation operations[] = {EXCLUDE("x"), MATCH(CATASTROPHE), EXCLUDE("^a$")};
    const struct settings settings = {
        .delimiter = '\n', .operations = operations, .operation_count = 3};
    begin(&trial, &settings);

    const struct tally *tally =
        run_all(&trial, "aa\n" MANY_AS "\nb\nx" MANY_AS "\na\n" MANY_AS "\naaa\n");
    OK(is(tally, 7, 2, 3, 2), "a record that a pattern gives up on fails, and only it");
    OK(strcmp(trial.out, "aa\naaa\n") == 0, "the others are decided as ever");

    const struct failure *first = trial.result->failures, *second = first->next;
    OK(first->nr == 1 && second->nr == 5 && second->next == NULL,
       "the failures have the places of their records");
    OK(first->cause->error == ERROR_REGEX, "the reason is the pattern");
    OK(strstr(first->cause->message, "--match '" CATASTROPHE "'") != NULL, "which is named: %s",
       first->cause->message);

    OK(is(run_all(&trial, "aa\n"), 1, 1, 0, 0), "and the next task is run as ever");
    end(&trial);
}

static void test_too_long(void)
{
    struct trial trial;
    struct operation operation = MATCH("a");
    const struct settings settings = {
        .delimiter = '\n', .operations = &operation, .operation_count = 1, .max_record = 1000};
    begin(&trial, &settings);

    block.oversize = 5000000000;
    OK(is(run_all(&trial, "aaaa"), 1, 0, 0, 1), "a record that is too long fails");
    OK(trial.out[0] == '\0', "and nothing of it is emitted");
    block.oversize = 0;

    const struct failure *failure = trial.result->failures;
    OK(failure->cause->error == ERROR_TOO_LONG && failure->nr == 0, "as too long");
    const char *message = failure->cause->message;
    OK(strstr(message, "5000000000") != NULL && strstr(message, "1000;") != NULL,
       "with its length and the limit: %s", message);
    end(&trial);
}

int main(void)
{
    test_pass_through();
    test_filter();
    test_flags();
    test_delimiter();
    test_copy();
    test_failures();
    test_too_long();
    return tap_done();
}
