#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --joblog: a line for each attempt, as tools for the joblog of GNU parallel read it.

# shellcheck disable=SC2002,SC2016,SC2094,SC2154,SC2164
load common

HEADER=$'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tAttempt\tRecords'

setup()
{
    set -o pipefail
    mkdir "$BATS_TEST_TMPDIR/there" && cd "$BATS_TEST_TMPDIR/there" # bats leaves files above
}

# column N: of all lines but the header, in the order of Seq and Attempt.
column()
{
    tail -n +2 log | sort -t $'\t' -k 1,1n -k 10,10n | cut -f "$1"
}

@test "each process has a line, as in the joblog of GNU parallel" {
    local before after
    before=$(date +%s)
    printf '%s\n' a 'b b' c | "$PPROC" -j2 --joblog=log -- printf '%s-\n' {}
    after=$(date +%s)
    [[ $(head -n 1 log) == "$HEADER" ]]
    [[ $(column 1) == $'1\n2\n3' && $(column 2) == $':\n:\n:' ]]
    [[ $(column 5) == $'0\n0\n0' && $(column 6) == $'3\n5\n3' ]]
    [[ $(column 7,8) == $'0\t0\n0\t0\n0\t0' && $(column 10,11) == $'1\t1\n1\t1\n1\t1' ]]
    grep -qP '^2\t:\t\d{10}\.\d{3}\t {5}\d\.\d{3}\t' log
    column 3 | awk -v from="$before" -v to=$((after + 1)) '$1 < from || $1 > to { exit 1 }'
}

@test "the command is that of --dry-run, with what would end a column escaped" {
    printf '%s\n' "a'b" $'tab\tback\\slash' | tee in | "$PPROC" -j1 --joblog=log -- true {}
    diff <("$PPROC" -j1 --dry-run -- true {} <in | sed 's/\\/\\\\/g; s/\t/\\t/g') <(column 9)
    printf 'new\nline\0' | "$PPROC" -0 --joblog=log -- true {}
    [[ $(column 9) == *'new\nline'* && $(wc -l <log) == 2 ]]
}

@test "attempts that fail are there, with status and signal" {
    printf '%s\n' 'exit 3' 'kill -9 $$' 'exit 0' |
        "$PPROC" --retries=1 --backoff=1ms --joblog=log -- sh -c {} 2>err || [[ $? == 1 ]]
    [[ $(column 1,7,8,10 | sed -n '1,2p;5p') == $'1\t3\t0\t1\n1\t3\t0\t2\n3\t0\t0\t1' ]]
    [[ $(column 1,7,8,10 | sed -n '3,4p') == $'2\t0\t9\t1\n2\t0\t9\t2' ]]
    echo 'sleep 60' | "$PPROC" --timeout=100ms --joblog=log -- sh -c {} 2>err || [[ $? == 1 ]]
    [[ $(column 7,8) == $'-1\t15' ]]
}

# total N: the sum of a column.
total()
{
    column "$1" | awk '{ sum += $1 } END { print sum }'
}

@test "a batch has one line, with what it was sent and how many records" {
    seq 1000 | "$PPROC" -j2 --joblog=log -- sed p >out
    [[ $(wc -l <log) -lt 1000 ]]
    [[ $(total 5) == 3893 && $(total 6) == 7786 && $(total 11) == 1000 ]]
    [[ $(column 1 | head -n 1) == 1 ]]
}

@test "records that operations drop are not in it" {
    seq 1000 | "$PPROC" -j1 -m 7 --joblog=log -- cat >out
    [[ $(total 11) == 271 && $(total 5) == "$(wc -c <out)" ]]
}

@test "an old joblog is replaced, a new one is for its owner alone" {
    umask 0
    echo a | "$PPROC" --joblog=log -- true {}
    [[ $(stat -c %a log) == 600 ]]
    seq 2 | "$PPROC" --joblog=log -- true {}
    [[ $(wc -l <log) == 3 && $(head -n 1 log) == "$HEADER" ]]
}

@test "a joblog that cannot be written is told before anything is read" {
    ln -s nothing link
    run -4 --separate-stderr "$PPROC" --joblog=link -- true {}
    [[ $stderr == "pproc: link: the joblog cannot be written there: "* && ! -e nothing ]]
    run -4 --separate-stderr "$PPROC" --joblog=/dev/full -- true {}
    [[ $stderr == "pproc: /dev/full: the joblog cannot be written there: No space left"* ]]
    run -2 --separate-stderr "$PPROC" --joblog -m x -- true {}
    [[ $stderr == *"begins with '-'"* ]]
}

@test "a disk that fills up ends the run with 4 at once" {
    skip_if_sanitized
    local status=0
    # shellcheck disable=SC2216
    yes | LD_PRELOAD=$FAULTS FAULT_MARK=mark FAULT_APPEND=ENOSPC:200 timeout 60 \
        "$PPROC" --joblog=log -- true {} 2>err || status=$?
    [[ $status == 4 && -e mark ]]
    grep -qx 'pproc: log: the joblog cannot be written: No space left on device' err
}

@test "the joblog is no input and no other output" {
    echo x >in
    run -2 --separate-stderr "$PPROC" --joblog=in in -- true {}
    [[ $stderr == "pproc: in: is an input and also the joblog"* ]]
    run -2 --separate-stderr "$PPROC" --joblog=new --dead-letter=./new in -- true {}
    [[ $stderr == *"is the dead-letter file and also the joblog"* ]]
    run -2 --separate-stderr "$PPROC" --joblog=new -o new in -- true {}
    [[ $stderr == *"is the output and also the joblog"* ]]
    [[ $(<in) == x && ! -e new ]]
}
