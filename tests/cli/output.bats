#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Where records go: order, delimiters at the end, slow consumers, slow producers.

# shellcheck disable=SC2002,SC2016,SC2094,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
}

teardown()
{
    local job
    for job in $(jobs -p); do
        kill "$job" 2>/dev/null || true
    done
}

# copies N: the sample, N times
copies()
{
    local i
    for ((i = 0; i < $1; i++)); do
        cat "$SAMPLE"
    done
}

@test "without operations the output is the input, in order" {
    copies 8 >in
    "$PPROC" -j8 <in | cmp in -
    "$PPROC" -j8 in | cmp in -
    cat in | "$PPROC" -j8 -k | cmp in -
}

@test "inputs follow one another in the order given" {
    seq 1 1000 >one
    seq 1001 2000 >two
    seq 2001 3000 | "$PPROC" two - one >actual
    cat two <(seq 2001 3000) one | cmp - actual
}

@test "unordered output has the same records" {
    copies 8 | nl >in
    "$PPROC" -u -j8 <in | sort | cmp <(sort in) -
}

@test "of -k and -u the last counts" {
    copies 4 >in
    "$PPROC" -u -k -j4 in | cmp in -
    printf a | "$PPROC" -k -u >actual
    printf 'a\n' | cmp - actual
}

@test "a last delimiter that is missing stays missing at the end of ordered output" {
    printf 'a\nb' | "$PPROC" >actual
    printf 'a\nb' | cmp - actual
}

@test "between two inputs it is added" {
    printf 'a\nb' >one
    printf 'c\nd' >two
    "$PPROC" one two >actual
    printf 'a\nb\nc\nd' | cmp - actual
    "$PPROC" one two one >actual
    printf 'a\nb\nc\nd\na\nb' | cmp - actual
}

@test "it is added only when more output follows" {
    printf 'a' >one
    printf 'x\n' >two
    : >empty
    "$PPROC" -v x one two >actual
    printf 'a' | cmp - actual
    "$PPROC" one empty >actual
    printf 'a' | cmp - actual
    "$PPROC" empty one empty two >actual
    printf 'a\nx\n' | cmp - actual
}

@test "unordered output always has it" {
    printf 'a\nb' >one
    printf 'c' | "$PPROC" -u one - | sort >actual
    printf 'a\nb\nc\n' | cmp - actual
}

@test "it is the delimiter of the records" {
    printf 'a\0b' >one
    "$PPROC" -0 one one >actual
    printf 'a\0b\0a\0b' | cmp - actual
    "$PPROC" -d ';' -u one >actual
    printf 'a\0b;' | cmp - actual
}

@test "a delimiter is added to the record, not to what is left of the input" {
    printf 'a\nx' >one
    printf 'b' >two
    "$PPROC" -v x one two >actual
    printf 'a\nb' | cmp - actual
}

@test "nothing in, nothing out" {
    : >empty
    "$PPROC" empty </dev/null >actual
    [[ ! -s actual ]]
    "$PPROC" -u empty - </dev/null >actual
    [[ ! -s actual ]]
}

@test "only delimiters pass as they are" {
    head -c 1000000 /dev/zero | tr '\0' '\n' >in
    "$PPROC" -j4 in | cmp in -
    "$PPROC" -j4 -u in | cmp in -
    "$PPROC" -j4 -m '^$' in | cmp in -
}

@test "an input that is also the output is refused, and left alone" {
    seq 10 >in
    run -2 bash -c '"$0" in >>in' "$PPROC"
    [[ $output == "pproc: "*in* ]]
    seq 10 | cmp - in
    run -2 bash -c '"$0" <in >>in' "$PPROC"
    seq 10 | cmp - in
    run -2 bash -c '"$0" /dev/null ./in 1<>in' "$PPROC"
    seq 10 | cmp - in
}

@test "a hard link and a symbolic link to the output are refused as inputs" {
    seq 10 >out
    ln out hard
    ln -s out soft
    run -2 bash -c '"$0" hard >>out' "$PPROC"
    run -2 bash -c '"$0" soft >>out' "$PPROC"
    seq 10 | cmp - out
}

@test "an input and output that are one device are fine" {
    "$PPROC" </dev/null >/dev/null
}

@test "output can be appended to a file" {
    seq 1 5 >out
    seq 6 10 | "$PPROC" >>out
    seq 1 10 | cmp - out
}

# Start the program between two pipes: what is written to descriptor 7 goes in, what comes out is
# read from 8.
start_between_pipes()
{
    mkfifo to from
    "$PPROC" "$@" <to >from 3>&- &
    exec 7>to 8<from
}

# next LINE: is that the next line of output, while the input stays open?
next()
{
    local line
    IFS= read -r -t 20 -u 8 line
    [[ $line == "$1" ]]
}

@test "a line on a slow pipe is out while the pipe stays open" {
    start_between_pipes -j4
    echo a >&7
    next a
    printf 'b\nc\nd' >&7
    next b
    next c
    echo e >&7
    next de
    exec 7>&-
    wait $!
}

@test "so it is when records are filtered" {
    start_between_pipes -j2 -m a -v b
    printf 'a1\nb\nab\na2\n' >&7
    next a1
    next a2
    echo a3 >&7
    next a3
    exec 7>&-
    wait $!
}

@test "so it is when records come unordered" {
    start_between_pipes -j2 -u
    echo a >&7
    next a
    echo b >&7
    next b
    exec 7>&-
    wait $!
}

@test "so it is with a bounded queue and little memory" {
    start_between_pipes -j2 --queue-size=1 -S 1
    printf 'a\nb\n' >&7
    next a
    next b
    exec 7>&-
    wait $!
}

@test "so it is with other delimiters" {
    start_between_pipes -d ';'
    printf 'a;\n;b' >&7
    local record
    IFS= read -r -t 20 -d ';' -u 8 record
    [[ $record == a ]]
    IFS= read -r -t 20 -d ';' -u 8 record
    [[ $record == $'\n' ]]
    exec 7>&-
    wait $!
}

# Bytes that the process $1 has read from its standard input, a file.
read_so_far()
{
    awk '$1 == "pos:" { print $2 }' "/proc/$1/fdinfo/0"
}

@test "reading stops when the output is not taken" {
    copies 64 >in
    mkfifo from
    "$PPROC" -j2 -S 1M <in >from 3>&- &
    local pid=$! taken=0 pos
    exec 8<from
    while ((taken < 20000000)); do
        head -c 1000000 <&8 >chunk
        taken=$((taken + $(wc -c <chunk)))
        pos=$(read_so_far "$pid")
        # The buffer, a pipe, what head may have read ahead.
        ((pos <= taken + 1048576 + 1048576 + 65536))
    done
    cat <&8 >/dev/null
    wait "$pid"
}
