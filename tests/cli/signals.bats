#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Signals: what ends a run, what it leaves behind, what only asks.

# shellcheck disable=SC2030,SC2031,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkfifo in
    pid=
}

teardown()
{
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || :
}

# start SIGNAL OPTION...: the program reads what is written to descriptor 7, and has written the
# sample; it would die of the signal.
start()
{
    env --default-signal="$1" "$PPROC" -j2 "${@:2}" <in >out 2>err 3>&- &
    pid=$!
    exec 7>in
    cat "$SAMPLE" >&7
    eventually has_sample
}

has_sample()
{
    [[ $(stat -c %s out) == $(stat -c %s "$SAMPLE") ]]
}

# ends STATUS: the program ends, while its input stays open.
ends()
{
    local status=0
    wait "$pid" || status=$?
    pid=
    exec 7>&-
    [[ $status == "$1" ]]
}

@test "a signal ends the run, and the process dies of it" {
    for signal in INT TERM HUP; do
        start $signal --stats=json
        kill -s $signal "$pid"
        ends $((128 + $(kill -l $signal)))
        cmp "$SAMPLE" out
        grep -qx "pproc: ended by SIG$signal: all was processed up to record $(wc -l <out) of -" err
        account_balances err
        [[ $(account emitted err) == $(wc -l <out) ]]
    done
}

@test "the account is printed then, also without --stats" {
    start TERM
    kill "$pid"
    ends 143
    grep -qE "^pproc: emitted +$(wc -l <out)$" err
}

@test "a record that is cut when the signal comes is not written" {
    start TERM
    printf 'the beginning of a record' >&7
    kill "$pid"
    ends 143
    cmp "$SAMPLE" out
}

@test "a signal that was ignored at the start stays so" {
    env --ignore-signal=HUP "$PPROC" <in >out 3>&- &
    pid=$!
    exec 7>in
    echo a >&7
    eventually test -s out
    kill -HUP "$pid"
    echo b >&7
    ends_after_input 0
    printf 'a\nb\n' | cmp - out
}

# ends_after_input STATUS: likewise, when its input ends.
ends_after_input()
{
    exec 7>&-
    ends "$1"
}

@test "SIGUSR1 prints the account and goes on" {
    start TERM
    kill -USR1 "$pid"
    eventually grep -q '^pproc: workers' err
    grep -qE "^pproc: emitted +$(wc -l <"$SAMPLE")$" err
    echo more >&7
    ends_after_input 0
    cat "$SAMPLE" <(echo more) | cmp - out
}

@test "SIGUSR2 ends the run with status 5, what was read being written" {
    start TERM --stats=json
    kill -USR2 "$pid"
    ends 5
    cmp "$SAMPLE" out
    account_balances err
    run ! grep -q 'ended by' err
    grep -qx 'pproc: stopped by SIGUSR2 before all was processed' err
}

# start_blocked ARGUMENT...: its consumer takes nothing: more is to be written than the pipe holds.
start_blocked()
{
    mkfifo full
    exec 8<>full
    env --default-signal=TERM "$PPROC" -j2 "$SAMPLE" "$SAMPLE" "$@" >full 2>err 3>&- &
    pid=$!
    eventually pipe_is_full
}

# Has it 64 KiB, which is what a pipe holds at least?
pipe_is_full()
{
    python3 -c '
import array, fcntl, termios
count = array.array("i", [0])
fcntl.ioctl(8, termios.FIONREAD, count)
raise SystemExit(count[0] < 65536)'
}

@test "a signal ends the run while the output is not taken, and its account is true" {
    start_blocked
    kill "$pid"
    ends_blocked 143
    grep -q 'ended by SIGTERM' err
}

ends_blocked()
{
    local status=0
    wait "$pid" || status=$?
    pid=
    exec 8<&-
    [[ $status == "$1" ]]
}

# Is it dead? If not, it gets another signal.
dead_or_killed_again()
{
    ! kill "$pid" 2>/dev/null
}

@test "a second signal ends it at once" {
    start_blocked --kill-after=1h -- cat # it waits as long for its output
    eventually dead_or_killed_again
    ends_blocked 143
    run ! grep -q 'ended by' err # which it says when it has waited long enough for the output
}

@test "a signal that comes twice at a time, as timeout(1) sends it, is one" {
    local i status told=0
    for ((i = 0; i < 10 && ! told; i++)); do # it may take too long where much runs
        rm -f started
        "$PPROC" --kill-after 500ms -- sh -c 'trap "" TERM; : >started; exec sleep 600' \
            <<<x 2>err 3>&- &
        eventually [ -e started ]
        python3 -c 'import os, sys, time
for delay in (0.01, 0):
    os.kill(int(sys.argv[1]), 15)
    time.sleep(delay)' "$!"
        status=0
        wait "$!" || status=$?
        [[ $status == 143 ]]
        told=$(grep -c '^pproc: ended by SIGTERM' err || :)
    done
    ((told))
}

@test "signals at any moment leave a prefix of whole records, or a part of them" {
    local i order
    for i in 1 2 3 4 5 6 7 8; do
        cat "$SAMPLE"
    done >many
    for order in -k -u; do
        for i in 0 1 2 4 8 16 32; do
            local status=0
            # --foreground: else it sends the signal twice, and what is late ends all at once.
            timeout --foreground -s TERM "$(printf '0.%03d' "$((i + 1))")" \
                "$PPROC" $order -j4 -m GET --stats=json many >out 2>err || status=$?
            [[ $status == 0 || $status == 124 ]]
            if [[ $order == -k ]]; then
                cmp <(grep GET many | head -c "$(stat -c %s out)") out
            else
                [[ -z $(sort -u out | comm -23 - <(grep GET "$SAMPLE" | sort -u)) ]]
            fi
            [[ ! -s out || -z $(tail -c 1 out) ]]
            [[ ! -s err ]] || account_balances err
            [[ ! -s err || $(account emitted err) == $(wc -l <out) ]]
        done
    done
}

state()
{
    [[ $(sed 's/.*) //' "/proc/$pid/stat") == "$1"* ]]
}

# It is stopped by SIGTSTP, and goes on to its end.
stopped_for_a_while()
{
    start TSTP --stats=json
    kill -TSTP "$pid"
    eventually state T
    kill -CONT "$pid"
    echo more >&7
    ends_after_input 0
}

@test "SIGTSTP stops it, and SIGCONT goes on" {
    stopped_for_a_while
    cat "$SAMPLE" <(echo more) | cmp - out
}

@test "the time while it is stopped does not count" {
    skip_if_sanitized # as the library of faults is
    export LD_PRELOAD=$FAULTS FAULT_LEAP=7200
    stopped_for_a_while
    tail -n 1 err | jq -e '.seconds < 3600'
}
