#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The benchmark: its log, and that it still runs.

load common

@test "the sample log is what the generator writes" {
    "$builddir/bench/make-log" 1M | cmp - "$SAMPLE"
}

@test "a larger log begins with the smaller one" {
    "$builddir/bench/make-log" 3M >"$BATS_TEST_TMPDIR/larger"
    cmp -n "$(stat -c %s "$SAMPLE")" "$SAMPLE" "$BATS_TEST_TMPDIR/larger"
}

@test "the patterns of the benchmark find what the generator promises" {
    "$builddir/bench/make-log" 20M >"$BATS_TEST_TMPDIR/log"
    cd "$BATS_TEST_TMPDIR"
    total=$(wc -l <log)
    percent() { echo $((($("$PPROC" -m "$1" log | wc -l) * 100 + total / 2) / total)); }
    [ "$(percent '" 500 ')" -eq 1 ]
    [ "$(percent '"(GET|POST) /api/v\d+/users/(\d+)')" -eq 22 ]
    [ "$(percent '^(\S+) .*?"(\w+) ([^"?]*)\?.*?(\d{3}) (\d+) "[^"]*example\.(com|org)')" -eq 10 ]
}

@test "the benchmark compares outputs and prints a line for each command" {
    run -0 "$srcdir/bench/run" -B "$builddir" -n 1 100K
    [[ $output == *"pass-through, pipe to pipe"*"M, gzip"* ]]
    [[ $output =~ $'\n'\ +[0-9.]+\ +[0-9]+\ +[0-9.]+\ +[0-9.]+\ .*\ pproc\ -j2$'\n' ]]
    [[ $output =~ $'\n'\ +[0-9.]+\ +[0-9]+\ +[0-9]+\.[0-9]{2}\ +1\.20\ .*\ cat\ LOG$'\n' ]]
    [[ $output =~ $'\n'\ +[0-9.]+\ +[0-9]+\ +[0-9]+\.[0-9]{2}\ +0\.85\ .*\ BARE\ STATIC$'\n' ]]
}

@test "the benchmark makes a table in Markdown of the rows asked for" {
    run -0 "$srcdir/bench/run" -B "$builddir" -n 1 --big --markdown --only 'ten logs' 100K
    [[ ${lines[0]} == '# Benchmarks' ]]
    [[ $output == *$'\n## pass-through, ten logs\n'* ]]
    [[ $(grep -c '^| *[0-9.]* | *[0-9]* | .* | `` pproc ' <<<"$output") == 4 ]]
}

@test "the benchmark does not print numbers for a program that gives other bytes" {
    printf '#!/bin/sh\ntr a b\n' >"$BATS_TEST_TMPDIR/wrong"
    chmod +x "$BATS_TEST_TMPDIR/wrong"
    PPROC=$BATS_TEST_TMPDIR/wrong run -1 "$srcdir/bench/run" -B "$builddir" -n 1 --only 'file to pipe' 100K
    [[ $output == *"other bytes than its peer"* ]]
}
