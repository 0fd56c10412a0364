#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --halt: runs that end early because of what became of some records.

# shellcheck disable=SC2154
load common

# halting VALUE [OPTION]...: records of more than 3 bytes fail.
halting()
{
    timeout 60 "$PPROC" --max-record=3 --halt="$1" "${@:2}"
}

# some N RECORD: N records, each alone in its block if it is too long.
some()
{
    yes "$2" | head -n "$1"
}

@test "a record that fails ends the run with 5, though the input has no end" {
    run -5 --separate-stderr halting soon,fail=1 --stats=json < <(echo long; yes a)
    grep -qE '^pproc: halted: 1 of [0-9]+ records failed$' <<<"$stderr"
    account_balances <(echo "$stderr")
    [[ $(account failed <(echo "$stderr")) == 1 ]]
}

@test "likewise now" {
    run -5 --separate-stderr halting now,fail=1 < <(echo long; yes a)
    grep -qE '^pproc: halted: 1 of [0-9]+ records failed$' <<<"$stderr"
}

@test "it takes as many as the option says" {
    run -1 halting soon,fail=3 < <(some 2 long; some 9 a)
    [[ $output != *halted* ]]
    run -5 halting soon,fail=3 < <(some 3 long; yes a)
    [[ $output == *"halted: 3 of "* ]]
}

@test "a share counts from the tenth record on" {
    run -1 halting soon,fail=50% < <(some 9 long)
    [[ $output != *halted* ]]
    run -1 halting soon,fail=50% -j1 < <(some 6 a; some 5 long)
    [[ $output != *halted* ]]
    run -5 halting soon,fail=50% -j1 < <(some 6 a; some 6 long)
    [[ $output == *"halted: 6 of 12 records failed"* ]]
}

@test "records that succeed end the run with 0, even if some failed" {
    run -0 --separate-stderr halting now,success=1 < <(some 3 long; yes a)
    [[ ${lines[0]} == a ]]
    grep -qE '^pproc: halted: [0-9]+ of [0-9]+ records succeeded$' <<<"$stderr"
}

@test "so does a number of records of either kind" {
    run -0 --separate-stderr halting soon,done=5 < <(some 3 long; yes a)
    grep -qE '^pproc: halted: [0-9]+ records are done$' <<<"$stderr"
    run -0 --separate-stderr "$PPROC" --halt=now,done=1 <<<a
    [[ $stderr == 'pproc: halted: 1 record is done' ]]
}

@test "records that are dropped do not count" {
    run -0 --separate-stderr halting soon,done=5 -m a < <(some 1000 b; some 4 a)
    [[ $output == $'a\na\na\na' && -z $stderr ]]
}

@test "what was done is written before the end" {
    run -5 --separate-stderr halting soon,fail=1 -j1 < <(some 5 a; echo long; yes a)
    [[ ${output:0:9} == $'a\na\na\na\na' ]]
}

@test "--quiet says nothing of an end that was wished for" {
    run -0 --separate-stderr halting now,success=1 --quiet < <(yes a)
    [[ -z $stderr ]]
}

@test "nobody waits for an input that has nothing to give" {
    mkfifo "$BATS_TEST_TMPDIR/silent"
    exec {keep}<>"$BATS_TEST_TMPDIR/silent"
    echo long >&"$keep"
    run -5 halting soon,fail=1 "$BATS_TEST_TMPDIR/silent"
    exec {keep}>&-
}

@test "an input that cannot be read counts for more" {
    run -3 halting soon,fail=1 "$BATS_TEST_TMPDIR/missing" - < <(echo long)
    [[ $output == *halted* ]]
}

@test "bad values are refused, and the message says what is allowed" {
    local value
    for value in '' fail=1 soon,fail later,fail=1 soon,lose=1 soon,fail=0 soon,fail=0% \
        soon,fail=101%; do
        run -2 halting "$value" </dev/null
        [[ $output == "pproc: bad value '$value' for --halt: allowed is WHEN,WHY=VAL: now or soon; fail, success or done; a number of records or 1% to 100%"* ]]
    done
}

@test "--explain tells of it" {
    run -0 halting now,success=20% --explain
    grep -qx 'halt: now,success=20%' <<<"$output"
    run -0 "$PPROC" --explain
    [[ $output != *halt* ]]
}
