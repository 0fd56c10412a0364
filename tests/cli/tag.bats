#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --tag: what each line of the output begins with.
# shellcheck disable=SC2154 # common and bats set output, stderr

load common

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

# tags EXPECTED ARGUMENT...: what comes of `input`, to the byte.
tags()
{
    local expected=$1
    shift
    "$PPROC" input "$@" >actual
    diff <(printf '%b' "$expected") actual
}

# refused TEXT ARGUMENT...: a usage error with TEXT in its message.
refused()
{
    local text=$1
    shift
    run --separate-stderr -2 "$PPROC" "$@"
    [ -z "$output" ]
    [[ $stderr == *"$text"* ]]
}

@test "--tag alone begins each line with the record and a tab" {
    printf 'a b\nc\n' >input
    tags 'a b\ta b\nc\tc\n' --tag
    tags 'a b\tx\na b\ty\nc\tx\nc\ty\n' --tag -- printf 'x\ny\n%.0s' '{}'
}

@test "the template has placeholders, tabs and other text" {
    printf 'd/x.c\ny\n' >input
    tags '1 1 input:\td/x.c\n2 2 input:\ty\n' --tag='{#} {nr} {file}:\t'
    tags 'x,x.c,d\\|d/x.c\ny,y,.\\|y\n' --tag='{/.},{/},{//}\\|'
    tags '<1>d/x.c\n<1>y\n' -j1 --tag='<{%}>' -- echo '{}'
    tags 'd/x.c\ny\n' --tag=''
}

@test "without COMMAND {} is the record as it was read, with one what COMMAND gets" {
    printf 'one\ntwo\n' >input
    tags 'one\t[one]\ntwo\t[two]\n' --tag -s 's/.*/[$0]/'
    tags '[one]\tx\n[two]\tx\n' --tag -s 's/.*/[$0]/' -- sh -c 'echo x' sh '{}'
}

@test "every line of a record is tagged, however it came to have several" {
    printf 'a,b\nc\n' >input
    tags '1:a\n1:b\n2:c\n' --tag='{#}:' -s 's/,/\n/'
    tags '1:a,b\n1:\n2:c\n2:\n' --tag='{#}:' -s 's/$/\n/'
    tags '1:a,b\n1:c\n' --tag='{#}:' -L2
}

@test "a newline in a tag is written as \\n" {
    printf 'a\nb\nc\n' >input
    tags 'a\\nb\ta\na\\nb\tb\nc\tc\n' --tag -L2
    tags 'x\\nya\nx\\nyb\nx\\nyc\n' --tag=$'x\ny'
}

@test "records that operations drop leave the numbers of others alone" {
    seq 6 >input
    tags '2:2\n4:4\n6:6\n' --tag='{#}:' -m '[246]'
    tags '1:1\n3:3\n5:5\n' --tag='{#}:' -v '[246]'
    tags '1:1\n2:x\n3:3\n4:x\n5:5\n6:x\n' --tag='{#}:' -s 's/[246]/x/'
    tags '2:2\n6:6\n' --tag='{#}:' -m '[246]' -v 4
    tags '2:2\n4:4\n6:6\n' --tag='{#}:' -m '[246]' -- echo '{}'
}

@test "a long input has the same tags with one worker as with many" {
    seq 200000 >input
    "$PPROC" -j1 input --tag='{#} {nr} {}:' -m 7 >one
    "$PPROC" -j4 input --tag='{#} {nr} {}:' -m 7 >many
    awk '/7/ { print NR, NR, $0 ":" $0 }' input | diff - one
    diff one many
    "$PPROC" -u -j4 input --tag='{#} {nr} {}:' -m 7 | sort >any
    sort one | diff - any
}

@test "numbers in a tag go on over inputs, or begin anew" {
    seq 2 >a
    seq 2 >b
    "$PPROC" a b --tag='{#} {nr} {file}:' >actual
    diff - actual <<'END'
1 1 a:1
2 2 a:2
3 1 b:1
4 2 b:2
END
}

@test "the last line gets its delimiter" {
    printf 'a\nb' >input
    tags '1:a\n2:b\n' --tag='{#}:'
    tags '1:x\n2:x\n' --tag='{#}:' -- printf x%.0s '{}'
    printf '' >input
    tags '' --tag
}

@test "lines are what the delimiter ends, of each COMMAND always lines" {
    printf 'a\nb;c;' >input
    tags '1:a\nb;2:c;' --tag='{#}:' -d ';'
    printf 'a\0b\0' >input
    tags '1:x\n1:y\n2:x\n2:y\n' --tag='{#}:' -0 -- printf 'x\ny\n%.0s' '{}'
}

@test "a header is not tagged" {
    printf 'name\na\nb\n' >input
    tags 'name\n1:a\n2:b\n' --tag='{#}:' --header
    tags 'name\nx:a\nx:b\n' --tag='x:' --header -- cat
}

@test "a tag can have columns" {
    printf 'a,b\nc\n' >input
    tags 'b:a,b\n:c\n' -C, --tag='{2}:'
    tags 'b:x\n:x\n' -C, --tag='{2}:' -- sh -c 'echo x' sh '{}'
    refused '--colsep needs a COMMAND' -C,
}

@test "with -n the tag has all records" {
    seq 5 >input
    tags '1 2\tx 1 2\n3 4\tx 3 4\n5\tx 5\n' --tag -n2 -- echo x
}

@test "a batch is tagged with what is true of all of it" {
    seq 100 >input
    "$PPROC" input --batch-lines=50 --tag='{#},{file}:' -- cat >actual
    diff <(awk '{ print (NR > 50 ? 51 : 1) ",input:" $0 }' input) actual
    local text
    for text in --tag '--tag={}' '--tag={nr}' '--tag={/}' '--tag={#}{.}'; do
        refused 'a batch has several' "$text" -- cat
    done
    refused 'a batch has several' -C, --tag='{1}' -- cat
}

@test "outputs that go to disk are tagged" {
    seq 3 >input
    "$PPROC" input -j2 -S1 --tag='{}:' -- sh -c 'seq -f %.0f 400000' sh '{}' >actual
    for i in 1 2 3; do
        seq -f "$i:%.0f" 400000
    done | cmp - actual
}

@test "what --keep-failed emits is tagged" {
    seq 2 >input
    run --separate-stderr -1 "$PPROC" input --keep-failed --tag -- sh -c 'echo x; exit 1' sh '{}'
    [ "$output" = $'1\tx\n2\tx' ]
}

@test "--dry-run shows commands, not what they would print" {
    printf 'a\n' >input
    tags 'echo a\n' --dry-run --tag -- echo '{}'
}

@test "records of dead letters are tagged with where they came from" {
    printf 'a\nb\nbad\n' >input
    run -1 "$PPROC" input --dead-letter=failed -- sh -c '[ "$1" != bad ]' sh '{}'
    "$PPROC" --replay failed --tag='{file}:{nr}:{#}:' >actual
    [ "$(<actual)" = 'input:3:1:bad' ]
}

@test "--tag is refused with what prints no lines" {
    refused '--tag and --count cannot be together' --tag -c
    refused '--tag and --binary cannot be together' --tag --binary -- cat '{}'
}

@test "--explain shows the template" {
    run -0 "$PPROC" --explain --tag='{#}: '
    grep -qxF 'tag: {#}: ' <<<"$output"
}
