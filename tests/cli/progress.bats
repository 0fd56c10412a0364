#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The progress bar, in a pseudo-terminal.

load common

setup()
{
    skip_without_terminal
    cd "$BATS_TEST_TMPDIR"
    export PPROC SAMPLE
    mkfifo in
    pid=
}

teardown()
{
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || :
}

# in_terminal COMMAND: run it by a shell in a terminal of 80 columns; what appears there goes to
# `screen`, a line for each time that one is begun or drawn again.
in_terminal()
{
    SHELL=/bin/sh script -qec "stty cols 80; $1" /dev/null </dev/null | stdbuf -o0 tr '\r' '\n' >screen
    return "${PIPESTATUS[0]}"
}

# Likewise in the background, with `in` open for writing as descriptor 7.
start_in_terminal()
{
    in_terminal "$1" 3>&- 7>&- &
    pid=$!
    exec 7>in
}

finish()
{
    exec 7>&-
    wait "$pid"
    pid=
}

erased=$'\e\\[K' # a regular expression
rest='[0-9.]+[KMG]?B/s  (ETA [0-9:-]+  |time [0-9:]+  )?busy [0-9]+/[0-9]+  queue [0-9.]+[KMG]?B  retried 0  failed 0'

# shows TEXT: did the bar show it, with all that follows it?
shows()
{
    grep -qE "^$erased$1  $rest\$" screen
}

@test "of a pipe bytes and rate are shown, at the end the time too" {
    start_in_terminal '"$PPROC" -m GET in >out'
    cat "$SAMPLE" >&7
    eventually shows '1.0MB'
    finish
    shows '1.0MB'
    tail -n 2 screen | grep -qE '^\S+1.0MB  .*time 0:0'
    cmp out <(grep GET "$SAMPLE")
}

@test "of a file percent and time left are shown, of those bytes whose records have had their due" {
    cat "$SAMPLE" "$SAMPLE" >log # more than a pipe holds
    start_in_terminal '"$PPROC" --progress=always log | (read -r _ <in; cat) >out'
    eventually shows '\[=*> *\] +[0-9]{1,2}%' # most of it waits, since nobody reads
    run ! grep -q 100% screen
    finish
    shows '\[=*\] 100%'
    cmp out log
}

@test "of a compressed file too" {
    cat "$SAMPLE" "$SAMPLE" >log
    gzip -c log >log.gz
    start_in_terminal '"$PPROC" --progress=always log.gz | (read -r _ <in; cat) >out'
    eventually shows '\[=*> *\] +[0-9]{1,2}%'
    run ! grep -q 100% screen
    finish
    shows '\[=*\] 100%'
    cmp out log
}

@test "a file that cannot be read whole does not keep it from coming to the end" {
    gzip -c "$SAMPLE" | head -c 100000 >log.gz
    run -3 in_terminal '"$PPROC" --progress=always log.gz missing "$SAMPLE" >out'
    shows '\[=*\] 100%'
}

@test "messages are not torn by it, and it stays below them" {
    start_in_terminal '"$PPROC" -m "(a+a+)+b" --max-record=10 in missing >out'
    eventually shows '0B'
    echo 'longer than ten bytes' >&7
    exec 7>&-
    status=0
    wait "$pid" || status=$?
    pid=
    [[ $status == 3 ]]
    grep -qE "^${erased}pproc: in:1: too-long: " screen
    grep -qE "^${erased}pproc: missing: cannot be opened: No such file or directory\$" screen
    [[ $(grep -c 'failed [01]$' screen) -gt 2 ]]
    [[ $(tail -n 2 screen) == *'1 record failed'* ]]
}

@test "it fits a narrow terminal" {
    start_in_terminal 'stty cols 30; "$PPROC" in >out'
    eventually grep -qE "^$erased.* busy" screen
    finish
    run ! grep -qE "^$erased.{30}" screen
}

shows_nothing()
{
    in_terminal '"$PPROC" -o out "$SAMPLE"' && [[ ! -s screen ]]
}

@test "a run that is over within a second shows nothing, unless it is asked to" {
    eventually shows_nothing # unless the machine is so busy that it takes longer
    in_terminal '"$PPROC" --progress=always -o out "$SAMPLE"'
    shows '\[=*\] 100%'
}

@test "there is none where it could disturb, and none with --quiet or never" {
    SECONDS=0
    slow='sleep 1.5 && echo record'
    "$PPROC" 2>err >out < <(eval "$slow") &
    "$PPROC" --progress 2>err.auto >out.auto < <(eval "$slow") &
    (in_terminal "($slow) | \"\$PPROC\"" && mv screen both) &
    mkdir pipe quiet never
    (cd pipe && in_terminal "($slow) | \"\$PPROC\" | cat >out") &
    (cd quiet && in_terminal "($slow) | \"\$PPROC\" --progress=always --quiet >out") &
    (cd never && in_terminal "($slow) | \"\$PPROC\" --progress=never >out") &
    wait
    ((SECONDS >= 1))
    for file in out out.auto both pipe/out quiet/out never/out; do
        [[ $(<$file) == record* ]]
    done
    for file in err err.auto pipe/screen quiet/screen never/screen; do
        [[ ! -s $file ]]
    done
    run ! grep -q busy both
}

@test "where there is no terminal, always gives a line a second" {
    "$PPROC" --progress=always <in >out 2>err 3>&- &
    pid=$!
    exec 7>in
    cat "$SAMPLE" >&7
    eventually eval '[[ $(wc -l <err) -ge 2 ]]'
    finish
    (($(wc -l <err) >= 3))
    run ! grep -vE "^pproc: [0-9.]+[KM]?B  $rest\$" err
    tail -n 1 err | grep -qE '^pproc: 1.0MB  .*time 0:'
    cmp out "$SAMPLE"
}

@test "of records that are operands percent are shown too" {
    in_terminal '"$PPROC" --progress=always -o out --args one two three'
    shows '\[=*\] 100%'
    [[ $(<out) == $'one\ntwo\nthree' ]]
}

@test "--progress takes auto, always and never" {
    run -2 "$PPROC" --progress=sometimes
    [[ $output == "pproc: bad value 'sometimes' for --progress: allowed is auto, always or never" ]]
}
