#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The command line: what it takes, what it refuses, --help, --version, --explain, --stats.
# shellcheck disable=SC2154 # common and bats set srcdir, output, stderr, lines

load common

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

# refused TEXT ARGUMENT...: a usage error with TEXT in its message, and nothing is read or printed.
refused()
{
    local text=$1
    shift
    printf 'unread\n' >input
    {
        run --separate-stderr -2 "$PPROC" "$@"
        [ "$(cat)" = unread ]
    } <input
    [ -z "$output" ]
    [[ $stderr == pproc:\ * ]]
    [[ $stderr == *"$text"* ]]
}

# bad_value OPTION VALUE ALLOWED: the message names all three.
bad_value()
{
    refused "bad value '$2' for $1" "$1=$2"
    [[ $stderr == *": allowed is "*"$3"* ]]
}

@test "--help names every option in 80 columns on standard output" {
    run --separate-stderr -0 "$PPROC" --help
    [ -z "$stderr" ]
    [ "$(wc -L <<<"$output")" -le 80 ]
    [[ ${lines[0]} == 'Usage: pproc [OPTION]... [FILE]... [-- COMMAND [ARG]...]' ]]
    while read -r name; do
        grep -qw -e "--$name" <<<"$output"
    done < <(sed -n 's/^OPTION([A-Z0-9_]*, "[^"]*", "\([^"]*\)".*/\1/p' \
        "$srcdir/src/cli/options.def")
}

@test "--version prints version and license" {
    run --separate-stderr -0 "$PPROC" --version
    [[ ${lines[0]} =~ ^pproc\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ ${lines[1]} == *BSD-2-Clause* ]]
    [ "${#lines[@]}" -eq 2 ]
}

to_full_disk()
{
    "$PPROC" "$@" >/dev/full
}

to_nowhere()
{
    "$PPROC" "$@" >&-
}

@test "--help, --version and --explain that cannot be written end with 4" {
    for option in --help --version --explain; do
        run -4 to_full_disk "$option"
        [[ $output == *"standard output"*"No space left on device"* ]]
        run -4 to_nowhere "$option"
        [[ $output == *"standard output: cannot be written: it is closed"* ]]
    done
}

@test "an unknown option is refused with a hint" {
    refused "unknown option '--nonsense'"$'\n'"Try 'pproc --help'" --nonsense=1
    refused "unknown option '-Z'" -0Z
    refused "option '--pr' is short for more than one: --print, --priority, --priority-by, --progress"$'\n' \
        --pr=1
}

@test "what is not built is refused, not ignored" {
    for option in --csv --follow; do
        refused "unknown option '$option'" "$option"
    done
}

@test "a COMMAND that is missing, or cannot be, is refused" {
    refused "'--' begins a COMMAND, and there is none" --
    refused '--count and a COMMAND cannot be together' -c -- cat
    refused '--timeout needs a COMMAND' --timeout=1s
}

@test "a value that is missing or not wanted is refused" {
    refused "option '--match' needs a value" -m
    refused "option '--jobs' needs a value" --jobs
    refused "option '--quiet' takes no value" --quiet=yes
}

@test "a bad value is refused with its option and what is allowed" {
    touch file
    bad_value --jobs many 'N% of the processors'
    bad_value --jobs 10001 'at most 10000'
    bad_value --buffer-size 1.5G 'from 1 to 1024T'
    bad_value --max-record 0 'from 1 to 1024T'
    bad_value --queue-size 0 'at least 1'
    bad_value --rate 20 'N/s, N/m or N/h'
    bad_value --priority x 'from -100 to 100'
    bad_value --priority x= 'from -100 to 100'
    bad_value --priority x=101 'from -100 to 100'
    bad_value --priority x=-101 'from -100 to 100'
    bad_value --priority x=1y 'from -100 to 100'
    bad_value --delimiter ab 'one byte'
    bad_value --stats xml 'text or json'
    bad_value --tmpdir file 'a directory'
    bad_value --tmpdir missing 'a directory'
}

@test "the option of a bad value is told by both of its names" {
    refused "bad value 'x' for --jobs (-j): allowed is" -jx
    refused "bad value '-m' for --output (-o): it begins with '-'" -o -m
    refused "bad value 'missing' for --tmpdir (-T): allowed is a directory" -T missing
}

@test "a name of a file that looks like an option is refused" {
    refused "bad value '-m' for --tmpdir" -T -m
    refused "bad value '-m' for --files0-from" --files0-from -m
}

@test "a pattern that does not compile is refused before anything is read" {
    refused '(' -m 'a(b'
    refused '(' --explain -v 'a(b'
}

@test "control bytes do not reach the terminal" {
    refused "unknown option '--?[2J'" $'--\e[2J'
}

@test "PPROC_DRIVE is threaded or self-serve" {
    PPROC_DRIVE=horse refused "PPROC_DRIVE"
}

@test "options may follow FILEs" {
    printf 'a\nb\n' >one
    printf 'b\nc\n' >two
    run -0 "$PPROC" one -m b two -j1
    [ "$output" = $'b\nb' ]
}

@test "--files0-from takes names from a file or from standard input" {
    echo a >'first file'
    echo b >$'new\nline'
    printf 'first file\0new\nline' >list
    run -0 "$PPROC" --files0-from=list
    [ "$output" = $'a\nb' ]
    run -0 "$PPROC" --files0-from=- <list
    [ "$output" = $'a\nb' ]
}

@test "an empty --files0-from reads nothing" {
    run -0 "$PPROC" --files0-from=/dev/null <<<unread
    [ -z "$output" ]
}

@test "a --files0-from list that is wrong is refused" {
    printf 'a\0\0b\0' >list
    refused "--files0-from=list: name 2 is empty" --files0-from=list
    refused "extra operand 'input'" --files0-from=list input
    refused "--files0-from=missing: the list cannot be read: No such file" --files0-from=missing
    printf 'a\0-\0' >list
    run -2 "$PPROC" --files0-from=- <list
    [[ $output == *"name 2 is '-'"* ]]
}

@test "--explain tells the plan and reads nothing" {
    echo unread >input
    {
        run --separate-stderr -0 env PPROC_DRIVE= "$PPROC" --explain -j1 -S1K -i -m 'x\d' -v y \
            - missing $'new\nline' -u -0 --max-record=5K --no-decompress
        [ "$(cat)" = unread ]
    } <input
    [ -z "$stderr" ]
    diff -u - <(grep -v -e '^processors: [0-9]*$' -e '^tmpdir: ' <<<"$output") <<'END'
inputs: 3
input: -
input: missing
input: new\x0aline
decompress: no
delimiter: \x00
max-record: 5120 bytes
operations: 2
match: x\d
exclude: y
patterns: regular expressions, ignoring case, on bytes
jobs: 1
threads: 1
pool: threads
drive: self-serve
queue-size: bounded by memory alone
buffer-size: 16384 bytes (raised to what the workers need)
block-size: 4096 bytes
output: -
order: as results finish
END
}

@test "--explain tells who reads and writes" {
    run -0 "$PPROC" --explain --queue-size=7
    grep -qx 'drive: threaded' <<<"$output"
    grep -qx 'queue-size: 7 records' <<<"$output"
    run -0 env PPROC_DRIVE=threaded "$PPROC" --explain
    grep -qx 'drive: threaded' <<<"$output"
}

@test "--explain tells the rate" {
    run -0 "$PPROC" --explain --rate=20/m
    grep -qx 'drive: threaded' <<<"$output"
    grep -qx 'rate: 20 records in 60 s, all workers together' <<<"$output"
    run -0 "$PPROC" --explain --rate=1/h
    grep -qx 'rate: 1 record in 3600 s, all workers together' <<<"$output"
}

@test "--explain tells priorities, and whether they have an effect" {
    run -0 "$PPROC" --explain -u --priority a=b=-5 --priority c=+7 --priority-by '(1)' --aging 2m
    grep -qx 'priority -5: a=b' <<<"$output"
    grep -qx 'priority 7: c' <<<"$output"
    grep -qx 'priority-by: (1)' <<<"$output"
    grep -qx 'aging: one level each 120 s' <<<"$output"
    grep -qx 'drive: threaded' <<<"$output"
    without='priorities: without effect, since nothing would show it'
    run ! grep -qx "$without" <<<"$output"
    for options in -k '-u -c'; do
        # shellcheck disable=SC2086
        "$PPROC" --explain $options --priority a=1 | grep -qx "$without"
    done
    for options in '-k --dead-letter=d' '-k -- cat'; do
        # shellcheck disable=SC2086
        run ! grep -qx "$without" < <("$PPROC" --explain --priority a=1 $options)
    done
}

@test "what says how to try again is refused without --retries" {
    refused '--retry-on has nothing to do without --retries' --retry 3
    refused '--backoff has nothing to do without --retries' --backoff 1s
    run -0 "$PPROC" --retries 0 --retry-on exit --backoff 1s <<<x
}

@test "what priorities cannot be had from is refused" {
    refused '--priority: missing closing parenthesis' --priority '(=5'
    refused "--priority-by: 'x' has no group: put ( ) around the number" --priority-by x
    refused '--aging has nothing to do without --priority or --priority-by' --aging 1s
    refused "bad value '5x' for --aging: allowed is a DUR such as 500ms" --priority x=1 --aging 5x
    refused "bad value '0' for --aging" --priority x=1 --aging 0
}

@test "--explain tells keys, and whether they have an effect" {
    run -0 "$PPROC" --explain -u --key '^(\w+)' --key-jobs 3 -- cat
    grep -qx 'key: ^(\\w+)' <<<"$output"
    grep -qx 'key-jobs: 3' <<<"$output"
    grep -qx 'order: as results finish' <<<"$output"
    run -0 "$PPROC" --explain -u --key '(x)'
    grep -q '^keys: without effect but the order' <<<"$output"
    grep -qx 'order: of the input' <<<"$output"
}

@test "what keys cannot be had from is refused" {
    refused '--key: missing closing parenthesis' --key '(x'
    refused "--key: 'x' has no group: put ( ) around the key" --key x
    refused '--key-jobs has nothing to do without --key' --key-jobs 2
    refused "bad value '0' for --key-jobs: allowed is a number of records, at least 1" \
        --key '(x)' --key-jobs 0
}

@test "--explain tells why fewer threads run than there are jobs" {
    run -0 "$PPROC" --explain -j10000
    processors=$(sed -n 's/^processors: //p' <<<"$output")
    grep -qx 'jobs: 10000' <<<"$output"
    grep -qx "threads: $processors (no more than processors)" <<<"$output"
}

@test "-j0 is as many workers as the limits allow with a COMMAND, else as many as processors" {
    ulimit -n 464
    run -0 "$PPROC" --explain -j0 -- true {}
    grep -qx 'jobs: 50' <<<"$output"
    run -0 "$PPROC" --explain -j0 -m x
    processors=$(sed -n 's/^processors: //p' <<<"$output")
    grep -qx "jobs: $processors" <<<"$output"
    # Each waits for the last one.
    cd "$BATS_TEST_TMPDIR"
    seq 20 | "$PPROC" -j0 --timeout 120 -- \
        sh -c ': >"$1"; until [ -e 20 ]; do sleep 0.01; done' _ {}
}

@test "the default is one worker for each processor that may be used" {
    cpu=$(taskset -pc $$ | sed 's/.*[ ,-]//')
    run -0 taskset -c "$cpu" "$PPROC" --explain
    grep -qx 'processors: 1' <<<"$output"
    grep -qx 'jobs: 1' <<<"$output"
}

@test "--stats=json prints the account as one line with exactly these keys" {
    run --separate-stderr -0 "$PPROC" -j2 -m a --stats=json <<<$'a\nb\nab'
    [ "$output" = $'a\nab' ]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
    [ "$(jq -c keys_unsorted <<<"$stderr")" = \
        '["read","emitted","dropped","failed","unprocessed","retried","attempts","bytes_in","bytes_out","seconds","workers","splits","task_bytes"]' ]
    [ "$(jq -c '[.read, .emitted, .dropped, .bytes_in, .bytes_out, .workers]' <<<"$stderr")" = \
        '[3,2,1,7,5,2]' ]
    jq -e '.seconds >= 0 and .attempts >= 1' <<<"$stderr"
}

@test "--stats prints the account as a table" {
    run --separate-stderr -0 "$PPROC" -m a --stats <<<$'a\nb\nab'
    [ "$(wc -l <<<"$stderr")" -eq 13 ]
    [ "$(awk 'NR <= 3 { print $1, $2, $3 }' <<<"$stderr")" = \
        $'pproc: read 3\npproc: emitted 2\npproc: dropped 1' ]
    grep -qE '^pproc: seconds +[0-9]+\.[0-9]+$' <<<"$stderr"
}
