#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --pool=process: operations in forked workers. What comes out is the same; a crash costs a record.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    player=$builddir/tests/plugins/player.so
    pid=
    seq 100 >numbers
    # A sanitizer makes an exit status of SIGSEGV.
    crash='crash'
    [[ -z $SANITIZER ]] || crash='kill'
}

teardown()
{
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || :
}

# same OPTION...: do forked workers give what threads give?
same()
{
    local jobs memory
    "$PPROC" -j2 "$@" >expected
    [[ -s expected ]]
    for jobs in 1 4; do
        for memory in 1 200K 64M; do
            "$PPROC" --pool=process -j$jobs -S $memory "$@" | cmp expected -
        done
    done
    PPROC_DRIVE=threaded "$PPROC" --pool=process "$@" | cmp expected -
}

# forked STATUS PART OPTION...: run forked workers, and the player in them, on a hundred numbers.
forked()
{
    run "-$1" --separate-stderr "$PPROC" --pool=process --plugin="$player,$2" "${@:3}" numbers
}

# without VALUE: the numbers up to 100 that are left if some are not.
without()
{
    seq 100 | grep -vxE "$1"
}

# one_letter JQ: there is one dead letter, for which that holds.
one_letter()
{
    [[ $(wc -l <letters) == 1 ]]
    jq -e "$1" letters
}

# The workers of the program.
workers()
{
    local zygote
    zygote=$(pgrep -P "$pid") && pgrep -P "$zygote"
}

# start OPTION...: the program runs, and can be told with its workers by their environment.
start()
{
    env --default-signal=INT,TERM,HUP MARK="$BATS_TEST_TMPDIR" \
        "$PPROC" --pool=process -j2 --stats=json "$@" >out 2>err 3>&- &
    pid=$!
}

# ends STATUS
ends()
{
    local status=0
    wait "$pid" || status=$?
    pid=
    [[ $status == "$1" ]] || (cat err >&2; echo "status $status" >&2; false)
}

# What is printed while a record takes for ever.
hangs()
{
    grep -q 'player: hanging' err
}

@test "operations give the same as in threads" {
    same "$SAMPLE"
    same -m ' 404 ' "$SAMPLE"
    same -v '" 200 ' -s 's/(\d+)\.(\d+)/$2-$1/g' "$SAMPLE"
    same -m '"(\w+) (\S+)' -p '$2 by $1' "$SAMPLE"
    same -c -m '" 5\d\d ' "$SAMPLE"
    same --plugin="$player,upper" "$SAMPLE"
    printf 'a 404 b' >in
    same -m ' 404 ' "$SAMPLE" in "$SAMPLE"
}

@test "unordered output has the same lines" {
    "$PPROC" --pool=process -j4 -u -m ' 404 ' "$SAMPLE" | sort | cmp <(grep ' 404 ' "$SAMPLE" | sort) -
}

@test "records of all kinds are the same" {
    same -L 3 -m ' 404 ' "$SAMPLE"
    same --record-start '" 404 ' -v '" 500 ' "$SAMPLE"
    same -d x -v y "$SAMPLE"
    same --args a 'b c' d
    printf 'head\nb\nc\n' >in
    same --header -m b in in
}

@test "tags tell where records come from" {
    cp "$SAMPLE" in
    same --tag='{file}:{nr} {#}: ' -m ' 404 ' in "$SAMPLE"
    printf 'name\tsize\n%s\n' $'a\t1' $'b\t2' >table
    same --header -C '\t' --tag='{name}={2}: ' table
}

@test "compressed inputs, archives and dead letters give the same" {
    gzip <"$SAMPLE" >in.gz
    tar -cf in.tar -C "${SAMPLE%/*}" "${SAMPLE##*/}"
    same -m ' 404 ' in.gz in.tar
    run -1 "$PPROC" --plugin="$player,fail=42" --dead-letter=letters numbers
    same --replay --tag='{file} {nr}: ' letters
}

@test "a large file is read side by side" {
    awk '{ print NR, $0 }' "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" >in
    PPROC_DRIVE=self-serve same -m ' 404 ' in
    PPROC_DRIVE=self-serve same in
}

@test "records may be larger than what is shared at first" {
    head -c 3000000 /dev/zero | tr '\0' ' ' >long
    { cat long; echo xa; echo b; cat long long; echo xc; echo d; } >in
    same -m '[abcd]$' in
    same -s 's/^ +/</' -s 's/x/ex/g' in
    same -s 's/ /__/g' in
    same --plugin="$player,again=1" in
}

@test "the account is the same" {
    "$PPROC" -j2 --stats=json -v '" 200 ' "$SAMPLE" 2>threads >/dev/null
    "$PPROC" --pool=process -j2 --stats=json -v '" 200 ' "$SAMPLE" 2>processes >/dev/null
    for key in read emitted dropped failed unprocessed bytes_in bytes_out; do
        [[ $(account $key threads) == "$(account $key processes)" ]]
    done
}

@test "records that fail are told in the same way" {
    echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab >line
    sed '40r line' <(seq 100) >in
    for pool in thread process; do
        run -1 --separate-stderr "$PPROC" --pool=$pool -m '(a+)+$|1' --dead-letter=letters.$pool in
        jq -c 'del(.time, .seconds)' letters.$pool >told.$pool
    done
    [[ -s told.thread ]]
    cmp told.thread told.process
    run -1 "$PPROC" --pool=process --max-record=10 <(echo short; echo much longer than that)
    [[ $output == *short* && $output == *'longer than the limit of 10'* ]]
}

@test "a record that crashes a plugin is a dead letter, all others are out" {
    for order in -k -u; do
        rm -f letters
        forked 1 kill=42 $order --dead-letter=letters
        sort -n <<<"$output" | cmp - <(without 42)
        one_letter '.error == "crash" and .record == "42" and .nr == 42 and .status == null and
            .signal == 9 and .attempts == 1'
        one_letter '.message | startswith("killed by SIGKILL")'
    done
}

@test "the signal is told" {
    skip_if_sanitized
    forked 1 crash=42 --dead-letter=letters
    cmp - <(without 42) <<<"$output"
    one_letter '.error == "crash" and .signal == 11'
    one_letter '.message | startswith("killed by SIGSEGV")'
}

@test "so is one at which a plugin calls exit()" {
    forked 1 exit=42 --dead-letter=letters
    cmp - <(without 42) <<<"$output"
    one_letter '.error == "crash" and .status == 0 and .signal == null'
}

@test "the first and the last record can crash, and one alone" {
    forked 1 "$crash=1"
    cmp - <(without 1) <<<"$output"
    forked 1 "$crash=100"
    cmp - <(without 100) <<<"$output"
    run -1 --separate-stderr "$PPROC" --pool=process --plugin="$player,$crash=1" <<<1
    [[ -z $output && $stderr == *'-:1: crash: killed by SIG'* ]]
}

@test "of a hundred thousand records a hundred crash: those are dead letters" {
    awk 'BEGIN { for (i = 1; i <= 100000; i++) print i % 1000 == 7 ? "bad" : i }' >in
    for jobs in 1 4; do
        rm -f letters
        run -1 "$PPROC" --pool=process -j$jobs --plugin="$player,$crash=bad" --dead-letter=letters \
            --stats=json -o out in
        cmp out <(grep -v bad in)
        cmp <(jq .nr letters) <(seq 7 1000 100000)
        account_balances <(echo "$output")
        # The one that crashed is found at once: no halving.
        [[ $(account attempts <(echo "$output")) -lt 500 ]]
    done
}

@test "all records can crash, each on its own" {
    { seq 50 | sed 's/.*/bad/' && echo good; } >in
    run -1 "$PPROC" --pool=process --plugin="$player,$crash=bad" --dead-letter=letters -o out in
    cmp out <(echo good)
    cmp <(jq .nr letters) <(seq 50)
}

@test "--replay runs the records again that crashed" {
    forked 1 "$crash=42" --dead-letter=letters
    run -0 "$PPROC" --pool=process --plugin="$player,$crash=43" --replay letters
    [[ $output == 42 ]]
}

@test "a crash is worth further attempts, if --retry-on does not say otherwise" {
    forked 1 "$crash=42" --dead-letter=letters --retries=2 --backoff=1ms
    one_letter '.attempts == 3'
    rm letters
    forked 1 "$crash=42" --dead-letter=letters --retries=2 --backoff=1ms --retry-on=timeout
    one_letter '.attempts == 1'
}

@test "a plugin that asks for another attempt gets it" {
    run -0 "$PPROC" --pool=process --retries=3 --backoff=1ms --plugin="$player,flaky=3" <<<$'6\n7\n8\n7'
    [[ $output == $'6\n7 at 3\n8\n7 at 3' ]]
}

@test "records of the same key stay in order behind one that crashes" {
    for _ in 1 2 3; do seq 100; done >in
    run -1 --separate-stderr "$PPROC" --pool=process -j4 -u --key='(\d)$' --plugin="$player,$crash=42" in
    for key in 0 1 2 3 4 5 6 7 8 9; do
        cmp <(grep "$key\$" <<<"$output") <(grep "$key\$" in | grep -vx 42)
    done
}

@test "what is urgent is run first" {
    printf '1\n2\nURGENT\n' >in
    run -0 "$PPROC" --pool=process -j1 -u --priority='URGENT=-5' --plugin="$player,pass" in
    [[ $output == $'URGENT\n1\n2' ]]
}

@test "--halt ends the run at a crash" {
    seq 100000 >in
    run -5 "$PPROC" --pool=process -j1 --halt=now,fail=1 --plugin="$player,$crash=42" \
        --stats=json -o out in
    account_balances <(echo "$output")
    [[ $(account failed <(echo "$output")) == 1 && $(account unprocessed <(echo "$output")) -gt 0 ]]
}

@test "a record that takes too long is a dead letter, all others are out" {
    # The others have the time that a busy machine takes.
    forked 1 hang=42 --timeout=3s --dead-letter=letters
    cmp - <(without 42) <<<"$output"
    one_letter '.error == "timeout" and .record == "42" and .attempts == 1'
}

@test "a signal ends a run that hangs at once, with a prefix" {
    for signal in INT TERM HUP; do
        mkfifo in
        start --plugin="$player,hang=42" in
        exec 7>in
        seq 40 >&7
        eventually test -s out
        seq 41 100 >&7
        eventually hangs
        kill -s $signal "$pid"
        ends $((128 + $(kill -l $signal)))
        exec 7>&-
        seq 41 >expected
        is_beginning out expected
        account_balances err
        nothing_lives
        rm in out err
    done
}

@test "workers that are killed lose nothing" {
    awk '{ print NR, $0 }' "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" >in
    mkfifo fifo
    for order in -k -u; do
        start $order --dead-letter=letters -s 's/(?<!x)GET/get/' fifo
        for part in 1 2 3 4 5 6 7 8; do
            split -n "l/$part/8" in
            # At a random moment, one or all.
            workers >list || :
            shuf -n $((RANDOM % 2 + 1)) list | xargs -r kill -KILL 2>/dev/null || :
        done >fifo
        ends 0
        sort out | cmp - <(sed 's/GET/get/' in | sort)
        account_balances err
        nothing_lives
    done
}

@test "when the program is killed its workers die with it" {
    start --plugin="$player,hang=42" numbers
    eventually hangs
    kill -KILL "$pid"
    wait "$pid" || :
    pid=
    eventually nothing_lives
}

@test "when the process that forks workers is killed the run ends with 4, and says so" {
    start --plugin="$player,hang=42" numbers
    eventually hangs
    kill -KILL "$(pgrep -P "$pid")"
    ends 4
    grep -q 'the process that forks workers has died' err
    account_balances err
    eventually nothing_lives
}

@test "a signal to the whole group is for the program to deal with" {
    mkfifo in
    start -j1 -u -m . in # else the other worker may still be on its way
    exec 7>in
    echo a >&7
    eventually test -s out
    local first
    first=$(workers)
    kill -USR1 "$pid"
    workers | xargs kill -INT
    workers | xargs kill -TERM
    kill -TERM "$(pgrep -P "$pid")"
    echo b >&7
    eventually grep -q b out
    [[ $(workers) == "$first" ]]
    exec 7>&-
    ends 0
    printf 'a\nb\n' | cmp - out
}

# All processes of the program.
all_stopped()
{
    ! ps -o stat= -p "$(workers | paste -sd,),$pid" | grep -q '^[^T]'
}

@test "SIGTSTP stops the workers too, SIGCONT goes on" {
    mkfifo in
    env --default-signal=TSTP true
    env --default-signal=TSTP "$PPROC" --pool=process -u -m . <in >out 2>err 3>&- &
    pid=$!
    exec 7>in
    echo a >&7
    eventually test -s out
    kill -TSTP "$pid"
    eventually all_stopped
    kill -CONT "$pid"
    echo b >&7
    exec 7>&-
    ends 0
    printf 'a\nb\n' | cmp - out
}

@test "each worker opens a plugin with its number, and closes it" {
    run -0 "$PPROC" --pool=process -j1 --plugin="$player,worker" <<<a
    [[ $output == 1 ]]
    run -0 "$PPROC" --pool=process -j1 --plugin="$player,closed=tell" <<<a
    [[ $output == *'player: worker 1 is closed'* ]]
}

@test "a plugin that cannot be opened ends the run before anything is read" {
    run -2 "$PPROC" --pool=process --plugin="$player,sulk" </dev/zero
    [[ $output == *"player cannot be opened"* ]]
}

@test "what a plugin prints does not get into the output" {
    forked 0 print=42
    cmp - <(seq 100) <<<"$output"
    [[ $stderr == *'player: printing'* ]]
}

@test "a worker that cannot be forked is tried again" {
    [[ -e $FAULTS ]] || skip "no library of faults"
    skip_if_sanitized
    # The first is the zygote, the second the worker.
    LD_PRELOAD=$FAULTS FAULT_FORK=3 forked 1 "$crash=42" -j1
    cmp - <(without 42) <<<"$output"
    [[ $stderr == *'a worker cannot be forked now: Resource temporarily unavailable'* ]]
}

@test "where memory that is shared cannot be had bytes are copied" {
    skip_if_sanitized
    (ulimit -v 90000 && "$PPROC" --pool=process -j2 -m ' 404 ' "$SAMPLE") | cmp <(grep ' 404 ' "$SAMPLE") -
}

@test "where shared memory is limited as files are, the message says so" {
    # 4 KiB are too few to begin with, 128 for what becomes of all that is read
    run -4 --separate-stderr bash -c 'ulimit -f 4 && exec "$@"' - "$PPROC" --pool=process -m 1 numbers
    [[ $stderr == *'--pool=process: 65536 bytes of memory'*'(ulimit -f) allows: raise it, or use --pool=thread'* ]]
    seq 100000 >many
    run -4 --separate-stderr bash -c 'ulimit -f 128 && exec "$@"' - \
        "$PPROC" --pool=process -s 's/\d/$0$0$0$0/g' many
    [[ $stderr == *'--pool=process: '*'(ulimit -f) allows'* ]]
}

# workers_take KIB OPTION...: workers that are at the last of many records each take less than that,
# of what they share with others their part.
workers_take()
{
    local worker
    rm -f err
    start "${@:2}" in
    eventually hangs
    [[ -n $(workers) ]]
    for worker in $(workers); do
        awk -v most="$1" '$1 == "Pss:" { found = $2 < most } END { exit !found }' \
            "/proc/$worker/smaps_rollup"
    done
    kill -KILL "$pid"
    wait "$pid" || :
}

@test "forked workers are small while they work" {
    skip_if_sanitized
    seq 1000000 >in
    workers_take 2560 --plugin="$player,hang=1000000"
    workers_take 3584 -s 's/$/x/' --plugin="$player,hang=1000000x"
}

@test "--explain tells where operations run, and COMMAND has processes anyway" {
    [[ $("$PPROC" --explain) == *$'\npool: threads\n'* ]]
    [[ $("$PPROC" --explain --pool=process) == *$'\npool: forked processes\n'* ]]
    [[ $("$PPROC" --explain --pool=process -- cat) == *$'\npool: threads (COMMAND has processes of its own)\n'* ]]
    run -0 "$PPROC" --pool=process -m a -- tr a b <<<$'a\nc'
    [[ $output == b ]]
}

@test "a plugin ahead of COMMAND cannot be in a process" {
    run -2 "$PPROC" --pool=process --plugin="$player" -- cat
    [[ $output == *'--pool=process'*COMMAND* ]]
}
