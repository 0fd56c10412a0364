#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --key, --key-jobs: records with the same key are started one after another.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    # Appends the record to the file of its key, its first letter; fails if another one of the key
    # runs.
    cat >append <<'EOF'
#!/bin/sh
key=${1%"${1#?}"}
mkdir "lock.$key" || exit 1
echo "$1" >>"of.$key"
rmdir "lock.$key"
echo "$1"
EOF
    # Numbers, each with one of three keys.
    seq 300 | sed '1~3s/^/a/; 2~3s/^/b/; 3~3s/^/c/' >records
    chmod +x append
}

files_are_in_order()
{
    for key in a b c; do
        cmp "of.$key" <(grep "^$key" records)
    done
}

@test "records of a key run one after another in the order of the input" {
    "$PPROC" -j8 --key '^(\w)' records -- ./append {} >out
    cmp out records
    files_are_in_order
}

@test "so they do if the output is not in order" {
    "$PPROC" -j8 -u --key '^(\w)' records -- ./append {} >out
    files_are_in_order
    for key in a b c; do
        grep "^$key" out | cmp - <(grep "^$key" records)
    done
}

@test "so they do with the smallest memory, and the shortest queue" {
    for option in -S1 --queue-size=1; do
        rm -f of.*
        "$PPROC" -j8 $option --key '^(\w)' records -- ./append {} >out
        cmp out records
        files_are_in_order
    done
}

@test "with --key-jobs=N up to N records of a key run at a time" {
    cat >two <<'EOF'
#!/bin/sh
echo >"runs.$1"
while [ "$1" -le 2 ] && ! [ -e came.1 -a -e came.2 ]; do
    : >"came.$1"
    sleep 0.01
done
ls runs.* | wc -l
rm "runs.$1"
EOF
    chmod +x two
    seq 40 | "$PPROC" -j8 --key '()' --key-jobs=2 -- timeout 60 ./two {} >out
    [[ $(wc -l <out) == 40 ]]
    run ! grep -v '^[12]$' out
}

@test "records of other keys, and those without one, pass by what waits for its key" {
    # The first record runs until the last ones have.
    until_last='case $1 in a1) until [ -e of.z -a -e none ]; do sleep 0.01; done ;;
        z*) : >of.z ;; none) : >none ;; esac; echo "$1"'
    { seq 100 | sed 's/^/a/'; printf '%s\n' z1 none; } >hot
    for options in '' --queue-size=2; do
        rm -f of.z none
        # shellcheck disable=SC2086
        "$PPROC" -j2 $options --key '^(\w)\d' hot -- timeout 60 sh -c "$until_last" _ {} |
            cmp - hot
    done
}

@test "a record that is tried again holds its key and no other" {
    # It fails until the one with another key has run.
    try='[ "$1" != a1 ] || [ -e ran ] || exit 1; echo "$1" >>ran; echo "$1"'
    printf '%s\n' a1 a2 b1 a3 >some
    "$PPROC" -j1 --retries=20 --backoff=10ms,1s --key '^(\w)' some -- sh -c "$try" _ {} |
        cmp - some
    [[ $(xargs <ran) == 'b1 a1 a2 a3' ]]
}

@test "so are records that do not fit one process with those before them" {
    yes '' | head -n 250000 >empty # which take nine bytes each as arguments
    try='echo "$PPROC_SEQ-$PPROC_ATTEMPT" >>ran; [ "$PPROC_SEQ-$PPROC_ATTEMPT" != 1-1 ]'
    "$PPROC" -j4 -n250000 --retries=1 --backoff=50ms --key '()' empty -- sh -c "$try"
    [[ $(sed -n 1,2p ran | xargs) == '1-1 1-2' ]]
    (($(wc -l <ran) > 2))
    tail -n +2 ran | sort -nc
}

@test "one that fails for good does not hold its key any more" {
    run -1 --separate-stderr "$PPROC" -j4 --key '^(\w)' records -- \
        sh -c '[ "$1" != a1 ] && ./append "$1"' _ {}
    sed -i 1d records
    cmp records <<<"$output"
    files_are_in_order
}

@test "the key goes before the priority" {
    cat >run <<EOF
#!/bin/sh
if [ "\$1" = first ]; then $until_all_wait; fi
echo "\$1"
EOF
    chmod +x run
    printf '%s\n' a1 b1 c1 a-now d-now | after_first |
        "$PPROC" -j1 -u --key '^(\w)' --priority now=-5 - end -- ./run {} >out 2>err ||
        [[ $? == 3 ]]
    # a-now waits for a1, but for nothing more.
    [[ $(xargs <out) == 'first d-now a1 a-now b1 c1' ]]
}

@test "records of a key stand in one batch together, and batches with one do not run at once" {
    "$PPROC" -j4 --key '()' records -- sh -c 'mkdir lock || exit 1; cat; rmdir lock' >out
    cmp out records
    seq 1000 | "$PPROC" -j4 --key '()' --stats=json -- cat >out 2>err
    seq 1000 | cmp - out
    (($(account attempts err) < 100))
}

@test "batches of an exact size keep it" {
    "$PPROC" -j4 --batch-lines=10 --key '^(\w)' records -- \
        sh -c 'mkdir lock || exit 1; wc -l; rmdir lock' >out
    [[ $(sort out | uniq -c | xargs) == '30 10' ]]
}

@test "a batch that fails is split, and its records of a key still run in order" {
    run_batch='batch=$(cat)
        case $batch in *b50*) exit 1 ;; esac
        echo "$batch" >>ran; echo "$batch"'
    for key in '()' '^(\w)'; do
        rm -f ran
        run -1 --separate-stderr "$PPROC" -j4 --batch-lines=64 --key "$key" records -- \
            sh -c "$run_batch"
        [[ $output == "$(grep -v '^b50$' records)" ]]
        [[ ${stderr_lines[0]} == 'pproc: records:50: '* ]]
        for first in a b c; do
            cmp <(grep "^$first" ran) <(grep "^$first" records | grep -v '^b50$')
        done
    done
}

@test "a COMMAND that fails for all records of a key is not run for each" {
    run -1 --separate-stderr "$PPROC" -j4 --batch-lines=300 --key '()' --stats=json records -- false
    echo "$stderr" >err
    [[ $(account failed err) == 300 ]]
    (($(account attempts err) < 100))
}

@test "when the run ends early what waits for its key is unprocessed" {
    "$PPROC" -j2 --halt=soon,success=3 --key '()' --stats=json records -- echo {} >out 2>err
    account_balances err
    [[ $(account read err) == 300 && $(account emitted err) == 3 ]]
    [[ $(account unprocessed err) == 297 ]]
}

@test "keys are those of the record as it was read, and -i and -F do not hold for them" {
    # It would be one key for all, and an order of all, if it was of what -s makes.
    printf '%s\n' a1 b1 >two
    wait_for_b='case $2 in 1) until [ -e b ]; do sleep 0.01; done ;; 2) : >b ;; esac; echo "$1"'
    "$PPROC" -j2 -i -F -s 's/A1/x/' -s 's/B1/x/' --key '^([a-z])' two -- \
        timeout 60 sh -c "$wait_for_b" _ {} '{#}' >out
    [[ $(<out) == $'x\nx' ]]
}

@test "processes that live on have one record of a key at a time, and in order when one dies" {
    cat >answer <<'EOF'
#!/bin/sh
while read -r record; do
    key=${record%"${record#?}"}
    mkdir "lock.$key" || exit 1
    case $record in *100) [ -e "died.$key" ] || { : >"died.$key"; rmdir "lock.$key"; exit 1; } ;; esac
    echo "$record" >>"of.$key"
    rmdir "lock.$key"
    echo "$record"
done
EOF
    chmod +x answer
    "$PPROC" -j4 --coproc --retries=1 --backoff=1ms --key '^(\w)' records -- ./answer >out
    cmp out records
    ls died.*
    files_are_in_order
}

@test "they end when they hold their answers back" {
    head -n 30 records | "$PPROC" -j4 --coproc --key '^(\w)' -- sed 's/x/y/' |
        cmp - <(head -n 30 records)
}

@test "a plugin has one record of a key at a time, and in order when some are tried again" {
    player=$builddir/tests/plugins/player.so
    # The plugin asks for further attempts of what begins with a 7.
    seq 1000 >numbers
    "$PPROC" -j4 -u --retries=2 --backoff=1ms --key '()' --plugin="$player,flaky=3" numbers >out
    sed 's/ at 3//' out | cmp - numbers
    [[ $(grep -c ' at 3$' out) == $(grep -c ^7 numbers) ]]
    "$PPROC" -j4 -u --retries=2 --backoff=1ms --key '(.)$' --plugin="$player,flaky=3" numbers >out
    for last in {0..9}; do
        cmp <(sed -n "s/ at 3//; /$last\$/p" out) <(grep "$last\$" numbers)
    done
}

@test "operations alone have the order of the input with a key" {
    seq 100000 | "$PPROC" -j4 -u --key '(.)' -v x | cmp - <(seq 100000)
    printf 'a\nb' | "$PPROC" -u --key '(.)' | cmp - <(printf 'a\nb\n')
}

@test "a pattern that gives up gives no key, which is told once" {
    a=$(printf 'a%.0s' {1..40})
    printf '%s\n' "$a!" "$a!!" >long
    run -0 --separate-stderr "$PPROC" -j1 --key '^((a+)+)$' long -- cat
    [[ $output == "$(<long)" ]]
    [[ $stderr == "pproc: a record of 41 bytes is taken to have no key: "*" in --key '^((a+)+)\$'" ]]
    [[ $(wc -l <<<"$stderr") == 1 ]]
}
