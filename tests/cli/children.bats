#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Children and signals: whenever one comes, what is written is whole, and nothing is left behind.

load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkdir tmp
    pid=
    # More than is done before the signal. Every seventh record fails.
    records 200000 '$1 % 7 == 0' '!err=why\\s" $1 " exit=3'
}

# records COUNT CONDITION ACTIONS: where the condition of awk holds they have these actions.
records()
{
    seq "$1" | awk "{ print ($2) ? \"$3\" : \"record \" \$1 }" >in
    grep record in >expected
}

teardown()
{
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || :
}

# filter NAME: options and command, with `--` between them, of the mode of that name, in `options`
# and `command`; `sure` is how many of 50 records are written though the next one hangs.
filter()
{
    command=("$builddir/tests/helper/actor")
    options=()
    sure=40
    case $1 in
    each) command+=("line={}") ;;
    batch)
        options+=(--batch-lines=20)
        command+=(lines)
        ;;
    coproc)
        options+=(--coproc)
        command+=(lines)
        sure=1 # the others may be in one task with it
        ;;
    esac
}

# start MODE OPTION...: the program runs that command on `in`. It and its children can be told by
# their environment.
start()
{
    local -a options command
    filter "$1"
    rm -f letters out
    env --default-signal=INT,TERM,HUP MARK="$BATS_TEST_TMPDIR" TMPDIR="$PWD/tmp" \
        "$PPROC" -j3 --stats=json --kill-after=100ms --dead-letter=letters \
        "${options[@]}" "${@:2}" in -- "${command[@]}" >out 2>err 3>&- &
    pid=$!
}

# written BYTES: there is that much output.
written()
{
    [[ -e out && $(stat -c %s out) -ge $1 ]]
}

# At a random moment.
sometime()
{
    eventually written $((RANDOM % 3000 + 1))
}

# ends STATUS
ends()
{
    local status=0
    wait "$pid" || status=$?
    pid=
    [[ $status == "$1" ]] || (cat err >&2; echo "status $status" >&2; false)
}

nothing_left()
{
    nothing_lives
    [[ -z $(ls -A tmp) ]]
}

# The output is whole records: the first ones of all with -k, else some.
output_is_whole()
{
    [[ -s out ]]
    if [[ $1 == -k ]]; then
        cmp -n "$(stat -c %s out)" expected out
        [[ $(tail -c 1 out | od -An -tx1) == " 0a" ]]
    else
        output_is_part
    fi
}

# The output is some of the records, none twice.
output_is_part()
{
    [[ -z $(sort out | uniq -d) ]]
    [[ -z $(comm -13 <(sort expected) <(sort out)) ]]
}

# letters_are_whole ORDER: each is a JSON object, about a record that fails; none comes twice, and
# with -k they have the order of the input.
letters_are_whole()
{
    jq -es 'all(.nr % 7 == 0 and .status == 3 and .stderr == "why \(.nr)\n")' letters
    [[ $(jq -s length letters) == $(wc -l <letters) ]]
    jq .nr letters >numbers
    if [[ $1 == -k ]]; then
        sort -nuc numbers
    else
        [[ -z $(sort numbers | uniq -d) ]]
    fi
}

# What the account and the last message say is so.
account_is_true()
{
    account_balances err
    [[ $(account emitted err) == $(wc -l <out) ]]
    [[ $(account failed err) == $(wc -l <letters) ]]
}

@test "a signal at a random moment: whole results, whole dead letters, nothing left" {
    for mode in each batch coproc; do
        for order in -k -u; do
            for signal in INT TERM HUP; do
                start $mode $order
                sometime
                kill -s $signal "$pid"
                ends $((128 + $(kill -l $signal)))
                nothing_left
                output_is_whole $order
                letters_are_whole $order
                account_is_true
            done
        done
    done
}

@test "up to the record that the last message names, all is written or a dead letter" {
    for mode in each batch coproc; do
        for order in -k -u; do
            start $mode $order
            sometime
            kill "$pid"
            ends 143
            last=$(sed -n 's/.*SIGTERM: all was processed up to record \([0-9]*\) of in$/\1/p' err)
            [[ $last -gt 0 || $order == -u ]] # the first may be the slowest
            seq "$last" | awk '$1 % 7' | sed 's/^/record /' | sort >due
            [[ -z $(comm -23 due <(sort out)) ]]
            [[ $(jq "select(.nr <= $last)" -c letters | wc -l) == $((last / 7)) ]]
        done
    done
}

@test "SIGUSR2 at a random moment: what runs is finished and written, nothing left" {
    for mode in each batch coproc; do
        for order in -k -u; do
            start $mode $order
            sometime
            kill -USR2 "$pid"
            ends 5
            nothing_left
            output_is_part
            [[ $order == -u ]] || sort -c -n -k 2 out
            letters_are_whole $order
            account_is_true
        done
    done
}

@test "children that hang, deaf to SIGTERM, and those that they started end with the run" {
    for mode in each batch coproc; do
        records 100 '$1 > 50' '!ignore=15 orphan=600 hang'
        start $mode -k
        eventually written "$(head -n "$sure" expected | wc -c)"
        kill "$pid"
        ends 143
        nothing_left
        output_is_whole -k
        account_balances err
    done
}

@test "children that are stopped end with the run" {
    records 100 '$1 > 10' '!kill=19'
    start each -k
    eventually written "$(head -n 6 expected | wc -c)"
    kill "$pid"
    ends 143
    nothing_left
}

@test "children end with a program that is killed" {
    for mode in each batch coproc; do
        records 100 '$1 > 50' '!hang'
        start $mode -k
        eventually written "$(head -n "$sure" expected | wc -c)"
        kill -KILL "$pid"
        ends 137
        eventually nothing_lives
        nothing_left
        output_is_whole -k
    done
}

@test "so they do at a random moment, and what is written is whole" {
    for mode in each batch coproc; do
        for order in -k -u; do
            start $mode $order
            sometime
            kill -KILL "$pid"
            ends 137
            eventually nothing_lives
            nothing_left
            output_is_whole $order
            letters_are_whole $order
        done
    done
}

# The program and its children, but for what has ended.
all_stopped()
{
    # D: a shell that waits for what it was just starting, by vfork(2), which is stopped.
    ! ps -o stat= -p "$pid" --ppid "$pid" | grep -q '^[^TZD]'
}

# There is more output than there was, or all of it.
goes_on()
{
    local size
    size=$(stat -c %s out)
    eventually eval "written $((size + 1)) || written $(stat -c %s expected)"
}

@test "SIGTSTP stops all, SIGCONT goes on, and nothing is lost" {
    for mode in each batch coproc; do
        records 3000 '$1 % 7 == 0' '!err=why\\s" $1 " exit=3'
        start $mode -k
        for _ in 1 2 3; do
            eventually test -e out
            goes_on
            kill -TSTP "$pid"
            eventually all_stopped
            kill -CONT "$pid"
        done
        ends 1
        cmp expected out
        nothing_left
        letters_are_whole -k
        account_is_true
    done
}

@test "while it is stopped no time passes for --timeout" {
    skip_if_sanitized # as the library of faults is
    echo record >in
    for option in --each --coproc; do
        rm -f begun go out
        LD_PRELOAD=$FAULTS FAULT_LEAP=7200 "$PPROC" -j1 --timeout=1h "$option" in -- sh -c '
            read -r line
            touch begun
            until [ -e go ]; do sleep 0.05; done
            printf %0200000d\\n 1' >out 2>err 3>&- &
        pid=$!
        eventually test -e begun
        kill -TSTP "$pid"
        eventually all_stopped
        touch go
        kill -CONT "$pid"
        ends 0
        [[ $(wc -c <out) == 200001 ]] # more than a pipe holds: the clock is seen while it runs
    done
}

@test "a program that is stopped and then ended by a signal leaves nothing" {
    start each -k
    sometime
    kill -TSTP "$pid"
    eventually all_stopped
    kill -TERM "$pid"
    kill -CONT "$pid"
    ends 143
    nothing_left
    output_is_whole -k
    letters_are_whole -k
}

@test "no child becomes a zombie that stays" {
    start each -k
    sometime
    # All are reaped as they end: at no moment more than one for each worker.
    for _ in 1 2 3 4 5; do
        [[ $(ps -o stat= --ppid "$pid" | awk '/Z/' | wc -l) -le 3 ]]
    done
    kill "$pid"
    ends 143
}
