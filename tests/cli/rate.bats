#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --rate: how many records are started in a while.

# shellcheck disable=SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
}

# takes MIN COMMAND...: it takes that many milliseconds at least, as its own account says, and less
# than a minute, which no busy machine adds; its output is in `out`.
takes()
{
    "${@:2}" --stats=json "${command[@]}" >out 2>err
    jq -e --argjson min "$1" '.seconds * 1000 | . >= $min and . < 60000' err
}

@test "records are started at the rate, however many workers there are" {
    command=(-- echo {})
    seq 21 | takes 1000 "$PPROC" -j50 --rate=20/s
    seq 21 | cmp - out
}

@test "operations alone have a rate too" {
    command=()
    seq 21 | takes 1000 "$PPROC" -j2 --rate 20/s -m .
    seq 21 | cmp - out
}

@test "a batch waits for as many records as the one before had" {
    command=(-- cat)
    seq 50 | takes 800 "$PPROC" --rate=50/s --batch-lines=40
    seq 50 | cmp - out
}

@test "attempts that are made again are starts" {
    command=(-- sh -c '[ "$PPROC_ATTEMPT" = 3 ] && echo "$1"' _ {})
    seq 4 | takes 1100 "$PPROC" -j4 --rate=10/s --retries=2 --backoff=1ms
    seq 4 | cmp - out
}

@test "a high rate is kept by starting several at a time" {
    command=()
    seq 100000 | takes 900 "$PPROC" --rate=100000/s
    jq -e '.task_bytes > 60' err # ten records
    seq 100000 | cmp - out
}

@test "a signal need not wait for the rate" {
    env --default-signal=TERM "$PPROC" --rate=1/h < <(seq 3) >out 2>err 3>&- &
    eventually test -s out
    kill $!
    status=0
    wait $! || status=$?
    [[ $status == 143 ]]
    [[ $(<out) == 1 ]]
    grep -q 'all was processed up to record 1 of -' err
}
