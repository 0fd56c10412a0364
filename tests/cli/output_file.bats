#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# -o: a file that takes its place only when it is whole, compressed if its name says so.

# shellcheck disable=SC2002,SC2012,SC2086,SC2094,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkdir there
    grep -e '" 500 ' "$SAMPLE" >expected
}

# Nothing but the files named is in the directory of the output.
only()
{
    diff -u <(printf '%s\n' "$@" | sort) <(ls -A there)
}

@test "-o writes to the file, and nothing to standard output" {
    run -0 "$PPROC" -m '" 500 ' -o there/out "$SAMPLE"
    [ -z "$output" ]
    cmp expected there/out
    only out
}

@test "-o - is standard output" {
    "$PPROC" -m '" 500 ' -o - "$SAMPLE" | cmp expected -
}

@test "each compressed format is what its own tool reads" {
    local suffix
    for suffix in 'gz gzip' 'zst zstd' 'xz xz' 'bz2 bzip2' 'lz4 lz4'; do
        set -- $suffix
        "$PPROC" -o "there/out.$1" "$SAMPLE"
        "$2" -t "there/out.$1"
        "$2" -dc "there/out.$1" | cmp - "$SAMPLE"
        (($(stat -c %s "there/out.$1") < $(stat -c %s "$SAMPLE") / 2))
    done
}

@test "a compressed file of no records at all is whole" {
    local suffix
    for suffix in 'gz gzip' 'zst zstd' 'xz xz' 'bz2 bzip2' 'lz4 lz4'; do
        set -- $suffix
        "$PPROC" -m 'no such record' -o "there/out.$1" "$SAMPLE"
        "$2" -t "there/out.$1"
        [ "$("$2" -dc "there/out.$1" | wc -c)" -eq 0 ]
    done
}

@test "bytes_out is what was written before compression" {
    "$PPROC" --stats=json -o there/out.gz "$SAMPLE" 2>err
    [ "$(account bytes_out err)" -eq "$(stat -c %s "$SAMPLE")" ]
}

@test "the file has its old content until the new one is whole" {
    echo old >there/out
    mkfifo in
    "$PPROC" -o there/out in 3>&- &
    exec 4>in
    cat "$SAMPLE" >&4
    [ "$(cat there/out)" = old ]
    exec 4>&-
    wait $!
    cmp "$SAMPLE" there/out
    only out
}

@test "killed by any signal, it leaves the old file and nothing else" {
    local signal
    for signal in INT TERM HUP KILL; do
        echo old >there/out.gz
        rm -f in
        mkfifo in
        # Job control lets the program see SIGINT.
        (set -m && exec "$PPROC" -o there/out.gz in 3>&- 2>/dev/null) &
        exec 4>in
        cat "$SAMPLE" >&4
        kill -s "$signal" $!
        wait $! && false
        exec 4>&-
        [ "$(cat there/out.gz)" = old ]
        only out.gz
    done
}

@test "a full disk leaves the old file, and status 4 says so" {
    echo old >there/out
    run -4 --separate-stderr bash -c 'ulimit -f 100 && exec "$@"' - \
        "$PPROC" -o there/out "$SAMPLE"
    [[ $stderr == 'pproc: there/out: cannot be written: '* ]]
    [ "$(cat there/out)" = old ]
    only out

    run -4 "$PPROC" -o /dev/full "$SAMPLE"
}

@test "damaged inputs and failed records do not keep the rest from its place" {
    gzip -c "$SAMPLE" | head -c 100000 >cut.gz
    run -3 "$PPROC" -o there/out cut.gz
    head -n "$(wc -l <there/out)" "$SAMPLE" | cmp - there/out
    [ -s there/out ]

    seq 1 20 >numbers
    run -1 "$PPROC" --max-record=1 -o there/out numbers
    seq 1 9 | cmp - there/out
    only out
}

@test "the mode of the old file is kept, a new one has that of the umask" {
    touch there/old
    chmod 604 there/old
    (umask 027 && "$PPROC" -o there/old "$SAMPLE" && "$PPROC" -o there/new "$SAMPLE")
    [ "$(stat -c %a there/old there/new | xargs)" = '604 640' ]
}

@test "a link stays, its target is replaced" {
    mkdir elsewhere
    echo old >elsewhere/target
    ln -s ../elsewhere/target there/link
    ln -s ../elsewhere/missing there/dangling
    "$PPROC" -o there/link "$SAMPLE"
    "$PPROC" -o there/dangling "$SAMPLE"
    [ -L there/link ]
    cmp "$SAMPLE" elsewhere/target
    cmp "$SAMPLE" elsewhere/missing
    only link dangling
    ln -s loop there/loop
    run -4 "$PPROC" -o there/loop "$SAMPLE"
}

@test "a FIFO is written directly" {
    mkfifo there/fifo
    "$PPROC" -o there/fifo "$SAMPLE" 3>&- &
    cmp "$SAMPLE" <there/fifo
    wait $!
    only fifo
}

@test "an input that is also the output is refused before anything is written" {
    cp "$SAMPLE" there/log
    ln -s log there/link
    run -2 "$PPROC" -o there/log -m x "$SAMPLE" there/link
    [[ $output == *'there/link: is an input and also the output'* ]]
    cmp "$SAMPLE" there/log
}

@test "what cannot be an output is refused with the reason" {
    run -4 "$PPROC" -o there "$SAMPLE"
    [[ $output == 'pproc: there: the output cannot be written there: it is a directory' ]]
    run -4 "$PPROC" -o missing/out "$SAMPLE"
    [[ $output == *'No such file or directory' ]]
    run -2 "$PPROC" -o -m x
    [[ $output == *"'-m' for --output"* ]]
    run -2 "$PPROC" -o '' "$SAMPLE"
}
