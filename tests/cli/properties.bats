#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What holds in every mode: the account balances, the output does not depend on how it came about,
# no file is left behind.

# shellcheck disable=SC2002,SC2016,SC2094,SC2154,SC2164
load common

CATASTROPHE='(a+)+$'
MANY_AS=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    mkdir tmp
    export TMPDIR=$PWD/tmp
}

# Nothing may be left, whatever the test was about.
teardown()
{
    [[ -z $(ls -A "$BATS_TEST_TMPDIR/tmp") ]]
}

# lengths SEED MAX TOTAL: records of up to MAX bytes, TOTAL bytes or a little more
lengths()
{
    awk -v seed="$1" -v max="$2" -v total="$3" 'BEGIN {
        srand(seed)
        filler = "."
        while (length(filler) < max)
            filler = filler filler
        for (bytes = 0; bytes < total; bytes += length(line) + 1) {
            line = substr(++nr " " filler, 1, int(rand() * (max + 1)))
            print line
        }
    }'
}

# Every way to run the same: workers, memory, drive, where the bytes come from.
# same_output OPTIONS: does each write what is in `expected`, given `in`?
same_output()
{
    local jobs memory drive
    for jobs in 1 2 8; do
        for memory in 1 100K 64M; do
            for drive in self-serve threaded; do
                PPROC_DRIVE=$drive "$PPROC" -j$jobs -S $memory "$@" in | cmp expected -
            done
        done
        cat in | "$PPROC" -j$jobs "$@" | cmp expected -
    done
}

# balances READ EMITTED DROPPED FAILED OPTIONS...: is that the account of a run on `in`?
balances()
{
    local status=0 expected="$1 $2 $3 $4 0" order drive
    for order in -k -u; do
        for drive in self-serve threaded; do
            PPROC_DRIVE=$drive "$PPROC" --stats=json -j2 -S 1 $order "${@:5}" in >actual 2>err ||
                status=$?
            account_balances err
            [[ $(tail -n 1 err | jq -r '"\(.read) \(.emitted) \(.dropped) \(.failed) \(.unprocessed)"') \
                == "$expected" ]]
            [[ $(account bytes_in err) == $(wc -c <in) ]]
            [[ $(account bytes_out err) == $(wc -c <actual) ]]
            ((status == ($4 > 0)))
        done
    done
}

@test "the account of records that pass balances" {
    cat "$SAMPLE" >in
    local total
    total=$(wc -l <in)
    balances "$total" "$total" 0 0
}

@test "the account of records that are filtered balances" {
    cat "$SAMPLE" >in
    local total kept
    total=$(wc -l <in)
    kept=$(grep -c GET in)
    balances "$total" "$kept" $((total - kept)) 0 -m GET
    balances "$total" $((total - kept)) "$kept" 0 -v GET
    balances "$total" 0 "$total" 0 -m 'no such line'
}

@test "the account of records that fail balances" {
    { head -n 100 "$SAMPLE" && echo "$MANY_AS" && echo aa && echo "$MANY_AS"; } >in
    balances 103 1 100 2 -m "^$CATASTROPHE"
}

@test "the account of no records balances" {
    : >in
    balances 0 0 0 0
}

@test "the account counts a last record without its delimiter" {
    printf 'a\n\nb' >in
    "$PPROC" --stats=json in 2>err >actual
    [[ $(account read err) == 3 && $(account bytes_in err) == 4 && $(account bytes_out err) == 4 ]]
}

@test "the account counts records of all inputs, and says when one is missing" {
    seq 10 >in
    run -3 --separate-stderr "$PPROC" --stats=json in no-such-file in
    account_balances - <<<"$stderr"
    [[ $(account read - <<<"$stderr") == 20 ]]
}

@test "ordered output of any number of workers, of any memory, of both drives is the same" {
    for _ in 1 2 3 4; do
        cat "$SAMPLE"
    done >in
    cp in expected
    same_output
    grep -P '" [45]\d\d ' in >expected
    same_output -m '" [45]\d\d '
    grep -v GET in | grep 1 >expected
    same_output -v GET -m 1
}

@test "unordered output, sorted, is the same" {
    nl "$SAMPLE" >in
    grep GET in | sort >expected
    local jobs memory drive
    for jobs in 1 8; do
        for memory in 1 64M; do
            for drive in self-serve threaded; do
                PPROC_DRIVE=$drive "$PPROC" -u -j$jobs -S $memory -m GET in | sort | cmp expected -
            done
        done
    done
}

@test "records of all lengths around the size of a block pass" {
    lengths 1 9000 2000000 >in
    cp in expected
    same_output
    grep 7 in >expected
    same_output -m 7
}

@test "records longer than many blocks pass" {
    lengths 2 700000 6000000 >in
    cp in expected
    same_output
}

@test "short records pass" {
    lengths 3 3 100000 >in
    cp in expected
    same_output
}

@test "a delimiter passes at any place near the end of a block" {
    local size offset
    for size in 4096 8192 262144; do
        for offset in -2 -1 0 1 2; do
            head -c $((size + offset)) /dev/zero | tr '\0' a >in
            printf '\nb\n' >>in
            cp in expected
            "$PPROC" -j2 in | cmp expected -
            "$PPROC" -j2 -S 1 in | cmp expected -
            "$PPROC" -j2 -S 1 -m . <in | cmp expected -
            printf 'b\n' >expected
            "$PPROC" -j2 -S 1 -v a in | cmp expected -
        done
    done
}

@test "a queue of one record gives the same" {
    head -n 2000 "$SAMPLE" >in
    "$PPROC" --queue-size=1 -j2 <in | cmp in -
    "$PPROC" --queue-size=1 -j8 -m GET -S 1 in | cmp <(grep GET in) -
    "$PPROC" --queue-size=1 -u -j8 -m GET in | sort | cmp <(grep GET in | sort) -
}

@test "records behind one that takes long wait for it, in any memory, and nothing is left" {
    { echo "$MANY_AS" && cat "$SAMPLE" && echo "$MANY_AS" && cat "$SAMPLE"; } >in
    cat "$SAMPLE" "$SAMPLE" >expected
    local memory drive
    for memory in 1 200K 64M; do
        for drive in self-serve threaded; do
            PPROC_DRIVE=$drive run -1 bash -c '"$0" "$@" >actual' "$PPROC" \
                -j2 -S $memory -v "$CATASTROPHE|^aaaaa" in
            cmp expected actual
        done
    done
}

@test "a record that is too long fails, and the others pass" {
    { seq 1 2000 && head -c 100000 /dev/zero | tr '\0' x && echo && seq 2001 4000; } >in
    seq 1 4000 >expected
    local drive
    for drive in self-serve threaded; do
        PPROC_DRIVE=$drive run -1 bash -c '"$0" "$@" >actual' "$PPROC" \
            --max-record=50000 --stats=json -S 1 in
        cmp expected actual
        [[ $output == "pproc: in:2001: "*100000*50000*--max-record* ]]
        account_balances - <<<"$output"
        [[ $(account failed - <<<"$output") == 1 ]]
    done
}

@test "inputs without their last delimiters give the same in every way" {
    seq 1 5000 | head -c -1 >one
    seq 5001 9999 | head -c -1 >two
    seq 1 9999 | head -c -1 >expected
    local memory drive
    for memory in 1 64M; do
        for drive in self-serve threaded; do
            PPROC_DRIVE=$drive "$PPROC" -j2 -S $memory one two | cmp expected -
            PPROC_DRIVE=$drive "$PPROC" -j2 -S $memory -u one two | sort -n | cmp <(seq 1 9999) -
        done
    done
}

# With one worker nothing waits for another one that the system has put aside.
@test "memory stays within 16 MiB while what is written is taken at once" {
    skip_if_sanitized
    [[ ${PPROC_DRIVE-} != threaded ]] || skip "a reader of its own reads ahead, as far as -S lets it"
    local operations peak
    for _ in {1..40}; do
        cat "$SAMPLE"
    done >in
    for operations in '-m GET' '-v GET' '-s s/e/E/' '-s s/t/T/g' '-s s/o/O/2' '-s s/\d+/N/g' \
        '-m (GET) -p $1'; do
        # shellcheck disable=SC2086
        "$builddir/bench/measure" measured "$PPROC" -j1 $operations in >/dev/null
        read -r _ _ peak <measured
        ((peak < 16 * 1024)) || { echo "$operations: $peak KiB"; false; }
    done
}
