#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# COMMAND as a filter of batches: their size, the header, splitting.

# shellcheck disable=SC2016,SC2154,SC2164
load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
}

@test "a filter in parallel gives what it gives alone" {
    for jobs in 1 2 8; do
        "$PPROC" -j$jobs "$SAMPLE" -- tr aeiou AEIOU | cmp - <(tr aeiou AEIOU <"$SAMPLE")
    done
    "$PPROC" -j4 -S 1 "$SAMPLE" -- tr aeiou AEIOU | cmp - <(tr aeiou AEIOU <"$SAMPLE")
    "$PPROC" -j4 -u "$SAMPLE" -- tr aeiou AEIOU | sort | cmp - <(tr aeiou AEIOU <"$SAMPLE" | sort)
}

@test "it gets what the operations left, and is not run for nothing" {
    run -0 "$PPROC" -m '7$' -s 's/7/x/' -- sed 's/^/> /' < <(seq 30)
    [[ $output == $'> x\n> 1x\n> 2x' ]]
    run -0 "$PPROC" -m nothing -- sh -c 'echo run' < <(seq 30)
    [[ -z $output ]]
}

@test "--batch-lines gives each batch so many records, fewer at the end of an input" {
    seq 7 >a
    seq 3 >b
    run -0 "$PPROC" --batch-lines=3 a b -- sh -c 'echo $(cat)'
    [[ $output == $'1 2 3\n4 5 6\n7\n1 2 3' ]]
    run -0 --separate-stderr "$PPROC" --batch-lines=2 -L 2 a -- sh -c 'echo $(cat)'
    [[ $output == $'1 2 3 4\n5 6 7' ]]
    run -0 "$PPROC" --batch-lines=100000 -- wc -l < <(seq 250000)
    [[ $output == $'100000\n100000\n50000' ]]
}

@test "such a batch waits until it is full" {
    mkfifo pipe
    "$PPROC" --batch-lines=2 -u pipe -- sh -c 'echo $(cat)' >out 3>&- &
    exec 4>pipe
    echo 1 >&4
    echo 2 >&4
    eventually grep -qx '1 2' out
    echo 3 >&4
    exec 4>&-
    wait $!
    [[ $(<out) == $'1 2\n3' ]]
}

@test "--block gives each batch the records that fit" {
    run -0 "$PPROC" --block=6 -- sh -c 'echo $(cat)' < <(seq 7)
    [[ $output == $'1 2 3\n4 5 6\n7' ]]
    run -0 "$PPROC" --block=4 -- sh -c 'echo $(cat)' < <(printf '1\n2\nlong enough\n3\n')
    [[ $output == $'1 2\nlong enough\n3' ]]
}

@test "records of a slow input are not held back for a larger batch" {
    mkfifo pipe
    "$PPROC" -u pipe -- sed 's/^/> /' >out 3>&- &
    exec 4>pipe
    echo 1 >&4
    eventually grep -qx '> 1' out
    echo 2 >&4
    eventually grep -qx '> 2' out
    exec 4>&-
    wait $!
}

@test "while all workers are busy a batch grows" {
    mkfifo pipe gate
    "$PPROC" -j1 pipe -- sh -c 'read x; echo "$x $(cat | wc -l)"; [ $x != 1 ] || read y <gate' \
        >out 3>&- &
    exec 4>pipe
    echo 1 >&4
    exec 5<>gate
    for i in {2..100}; do
        echo "$i" >&4
    done
    exec 4>&-
    echo go >&5
    wait $!
    awk '$2 > 1 { grows = 1 } END { exit !grows }' out
}

@test "a program that is slow to start gets more records at a time" {
    run -0 --separate-stderr "$PPROC" -j2 --stats=json -- sh -c 'sleep 0.3; cat' < <(seq 100)
    [[ $output == "$(seq 100)" ]]
    (($(account attempts <(echo "$stderr")) < 15))
}

@test "the header goes ahead of every batch, and is emitted once" {
    printf 'a,b\n1,x\n2,y\n' >a
    printf 'a,b\n3,z\n' >b
    run -0 "$PPROC" --header --batch-lines=1 a b -- sed 's/,/;/'
    [[ $output == $'a;b\n1;x\n2;y\n3;z' ]]
    run -0 "$PPROC" --header --header-out=0 --batch-lines=1 a b -- sed 1d
    [[ $output == $'1,x\n2,y\n3,z' ]]
}

@test "an output that begins with another header fails" {
    printf 'a\n1\n2\n' >in
    run -1 "$PPROC" -j1 --header --batch-lines=1 --dead-letter=letters in -- sed 1d
    jq -e '.error == "protocol" and .record == "2" and (.message | test("--header-out=0"))' letters
    jq -e '.stdout == "2\n"' letters
}

@test "an empty record that lacks its delimiter is an empty batch" {
    run -0 "$PPROC" --args -s 's/.*//' x -- wc -l
    [[ $output == 1 ]]
    run -0 "$PPROC" -s 's/.*//' -- wc -c < <(printf x)
    [[ $output == 0 ]]
}

@test "a bad record never takes its neighbours along" {
    run -1 --separate-stderr "$PPROC" --dead-letter=letters --stats=json -- \
        sh -c 'while read -r x; do [ "$x" != 300 ] || exit 3; echo "$x"; done' < <(seq 1000)
    diff <(echo "$output") <(seq 1000 | grep -vx 300)
    jq -e '.record == "300" and .status == 3 and .attempts == 1' letters
    [[ $(account failed <(echo "$stderr")) == 1 ]]
}

@test "when all fail alike the rest is not run" {
    run -1 --separate-stderr "$PPROC" -j1 --block=1M --dead-letter=letters --stats=json -- \
        false < <(seq 1000)
    [[ $(wc -l <letters) == 1000 ]]
    (($(account attempts <(echo "$stderr")) < 40))
    jq -e 'select(.attempts == 0) | .status == 1' letters >/dev/null
}

@test "--no-split lets a batch fail as one" {
    run -1 "$PPROC" --no-split --batch-lines=4 --dead-letter=letters -- \
        sh -c 'x=$(cat); case $x in *6*) exit 1 ;; esac; echo "$x"' < <(seq 10)
    [[ $output == *$'1\n2\n3\n4\n9\n10'* ]]
    [[ $(jq -r .record letters) == $'5\n6\n7\n8' ]]
}

@test "what only makes sense for a filter is refused elsewhere" {
    run -2 "$PPROC" --batch-lines=2 -- echo {} </dev/null
    [[ $output == *'--batch-lines needs a COMMAND that is a filter'* ]]
    run -2 "$PPROC" --batch-lines=2 --block=1M -- cat </dev/null
    [[ $output == *'cannot be together'* ]]
    run -2 "$PPROC" --block=0 -- cat </dev/null
    [[ $output == *"bad value '0' for --block"* ]]
    run -2 "$PPROC" --block=1000T -- cat </dev/null
    [[ $output == *"bad value '1000T' for --block"*', up to the memory that there is ('*M\) ]]
}
