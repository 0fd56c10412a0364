#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Large files, which workers read side by side.

# shellcheck disable=SC2016,SC2094,SC2154,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    export PPROC_DRIVE=self-serve
    awk '{ print NR, $0 } NR % 1000 == 0 { printf "%*s\n", NR * 40, "long" }' \
        "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" >in
    printf 'the last one' >>in
}

# left_out TEXT COMMAND...: exit status 3, and one message, about `in`, that has the text.
left_out()
{
    local status=0
    "${@:2}" 2>err || status=$?
    [[ $status == 3 ]]
    [[ $(wc -l <err) == 1 ]]
    [[ $(<err) == "pproc: in: "*"$1"* ]]
}

@test "a large file gives the same, however many read it" {
    local jobs
    for jobs in 1 2 8; do
        "$PPROC" -j$jobs in | cmp in -
        "$PPROC" -j$jobs -m ' 404 ' in | cmp <(grep ' 404 ' in) -
        "$PPROC" -j$jobs -v ' 404 ' in | cmp <(grep -v ' 404 ' in | head -c -1) -
        [[ $("$PPROC" -j$jobs -c -m ' 404 ' in) == $(grep -c ' 404 ' in) ]]
    done
    "$PPROC" -j4 -u -m ' 404 ' in | sort | cmp <(grep ' 404 ' in | sort) -
    "$PPROC" -j4 -d x -v y in | cmp <(tr 'x\n' '\nx' <in | grep -v y | tr 'x\n' '\nx' | head -c -1) -
}

@test "a large file on standard input is read from where it stands, and others go on" {
    { read -r _ && "$PPROC" -j2 - in; } <in | cmp <(tail -n +2 in; echo; cat in) -
}

@test "the account of a large file, and numbers of its records, are right" {
    "$PPROC" -j2 --stats=json -m ' 404 ' in >actual 2>err
    account_balances err
    [[ $(account read err) == $(($(wc -l <in) + 1)) && $(account bytes_in err) == $(wc -c <in) ]]
    echo "40000 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab" >line
    sed -i '40000r line' in
    run -1 "$PPROC" -j2 -c -m '(a+)+$' --dead-letter=dead in
    jq -e '.nr == 40001' dead
    [[ $(jq .offset dead) == $(head -n 40000 in | wc -c) ]]
}

@test "a large file that shrinks while it is read is told once" {
    cp in before
    mkfifo out
    left_out shorter "$PPROC" -j2 in >out 3>&- & # held up by the reader of the FIFO
    {
        head -c 1
        truncate -s 2000000 in
        cat
    } <out >actual
    wait $!
    is_beginning actual before
}

@test "what is added to a large file while it is read is read too" {
    mkfifo out
    "$PPROC" -j2 in >out 3>&- &
    {
        head -c 1
        printf '\nmore\n' >>in
        cat
    } <out >actual
    wait $!
    cmp in actual
}

@test "a large file that breaks is told once" {
    [[ -e $FAULTS ]] || skip "no library of faults"
    skip_if_sanitized
    cp in before
    left_out 'Input/output error' env LD_PRELOAD="$FAULTS" FAULT_READ=EIO:3000000 "$PPROC" -j2 in >actual
    [[ -s actual ]]
    [[ $(comm -23 <(sort actual) <(sort before) | wc -l) == 0 ]]
}

@test "a run on a large file can be ended" {
    mkfifo out
    "$PPROC" -j4 in >out 2>err 3>&- &
    local status=0
    {
        head -c 1
        kill -USR2 $!
        cat
    } <out >actual
    wait $! || status=$?
    [[ $status == 5 ]]
    is_beginning actual in
}
