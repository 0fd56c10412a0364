#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --header: lines at the beginning of inputs that are no records.

# shellcheck disable=SC2016,SC2094,SC2154,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    printf 'name,x\na,1\nb,2\n' >a.csv
    printf 'name,x\nc,3\nd,4' >b.csv
    printf 'name,y\ne,5\n' >other.csv
}

# left_out NAME TEXT OPTION...: exit status 3, and one message, about NAME, that has the text; what
# was written is in `actual`.
left_out()
{
    local status=0
    "$PPROC" "${@:3}" >actual 2>err || status=$?
    [[ $status == 3 ]]
    [[ $(wc -l <err) == 1 ]]
    [[ $(<err) == "pproc: $1: "*"$2"* ]]
}

# refused TEXT OPTION...: a usage error whose message has the text.
refused()
{
    run --separate-stderr -2 "$PPROC" "${@:2}"
    [[ -z $output && $stderr == "pproc: "*"$1"* ]]
}

@test "the header of several inputs is emitted once, first, and no operation sees it" {
    local drive
    for drive in self-serve threaded; do
        export PPROC_DRIVE=$drive
        "$PPROC" --header a.csv b.csv a.csv |
            cmp <(printf '%s\n' name,x a,1 b,2 c,3 d,4 a,1 b,2) -
        "$PPROC" --header -m c a.csv b.csv | cmp <(printf 'name,x\nc,3\n') -
        "$PPROC" --header -v name -s 's/,/;/' a.csv | cmp <(printf 'name,x\na;1\nb;2\n') -
        "$PPROC" --header -u -j4 a.csv b.csv >actual
        [[ $(head -n 1 actual) == name,x ]]
        cmp <(printf '%s\n' a,1 b,2 c,3 d,4) <(tail -n +2 actual | sort)
    done
}

@test "the header is emitted when no record is" {
    "$PPROC" --header -m nothing a.csv b.csv | cmp <(printf 'name,x\n') -
    "$PPROC" --header <<<only | cmp <(echo only) -
    printf only | "$PPROC" --header | cmp <(echo only) -
    "$PPROC" --header </dev/null >actual
    [[ ! -s actual ]]
}

@test "the header is no record in the account and in numbers" {
    [[ $("$PPROC" --header -c a.csv b.csv) == 4 ]]
    "$PPROC" --header --stats=json a.csv b.csv >actual 2>err
    [[ $(account read err) == 4 && $(account bytes_in err) == 29 ]]
    [[ $(account bytes_out err) == $(wc -c <actual) ]]
    run --separate-stderr -1 "$PPROC" --header --max-record=2 a.csv b.csv
    [[ $output == name,x ]]
    [[ $stderr == *a.csv:1:*a.csv:2:*b.csv:1:*b.csv:2:* ]]
}

@test "--header-out=0 leaves the header out of the output" {
    "$PPROC" --header --header-out=0 a.csv b.csv | cmp <(printf 'a,1\nb,2\nc,3\nd,4') -
}

@test "a header may have several lines, and records too" {
    printf '1\n2\na\nb\nc\nd\n' >in
    "$PPROC" --header=2 -m d in | cmp <(printf '1\n2\nd\n') -
    "$PPROC" --header=2 -L2 -m d in in | cmp <(printf '1\n2\nc\nd\nc\nd\n') -
    "$PPROC" --header --record-start '[ac]' -m d in | cmp <(printf '1\nc\nd\n') -
    "$PPROC" --header=6 in in | cmp in -
    printf '1;2;3;4' | "$PPROC" -d ';' --header=2 -v 3 | cmp <(printf '1;2;4') -
}

@test "compressed inputs have headers too" {
    gzip -k a.csv
    zstd -q b.csv
    "$PPROC" --header -m '[ad]' a.csv.gz b.csv.zst a.csv |
        cmp <(printf '%s\n' name,x a,1 d,4 a,1) -
    "$PPROC" --header -o out.gz a.csv b.csv
    gzip -dc out.gz | cmp <(printf '%s\n' name,x a,1 b,2 c,3; printf d,4) -
}

@test "empty inputs have no header, and need none" {
    : >empty
    "$PPROC" --header empty a.csv empty b.csv | cmp <("$PPROC" --header a.csv b.csv) -
    gzip -k empty
    "$PPROC" --header empty.gz a.csv | cmp a.csv -
}

@test "a header may lack its newline" {
    printf name,x >head.csv
    "$PPROC" --header head.csv a.csv head.csv b.csv | cmp <("$PPROC" --header a.csv b.csv) -
}

@test "an input that begins otherwise is not processed, the others are" {
    left_out other.csv 'does not begin with the header of a.csv' --header a.csv other.csv b.csv
    "$PPROC" --header a.csv b.csv | cmp - actual
    printf name,xy >other.csv
    left_out other.csv 'does not begin with the header of a.csv' --header a.csv other.csv
    cmp a.csv actual
    printf 'name,x\n\n' >other.csv
    "$PPROC" --header a.csv other.csv | cmp <(cat a.csv && echo) -
}

@test "an input that begins otherwise is left at once" {
    mkfifo fifo
    {
        printf 'other\nrecord\n'
        eventually grep -q a.csv err
    } >fifo 3>&- &
    : >err
    left_out fifo 'does not begin with the header of a.csv' --header a.csv fifo
    wait $! || : # killed by SIGPIPE, perhaps
    cmp a.csv actual
}

@test "an input with fewer lines than the header is not processed" {
    printf '1\n2\n3\n' >three
    printf '1\n2\n' >two
    left_out two 'has fewer lines than the 3 of its header' --header=3 two three
    cmp three actual
    left_out two 'has fewer lines than the 3 of its header' --header=3 three two
    cmp three actual
}

@test "an input that breaks within its header is not processed" {
    gzip -k a.csv
    head -c -8 a.csv.gz >cut.gz
    left_out cut.gz 'its header is cut there, so nothing of it is processed' --header=9 cut.gz
    [[ ! -s actual ]]
    left_out missing 'No such file' --header missing a.csv
    cmp a.csv actual
    left_out cut.gz '' --header cut.gz
    cmp a.csv actual
}

@test "a header is no longer than a record may be, or 64K" {
    { head -c 70000 /dev/zero | tr '\0' h && printf '\n1\n'; } >long
    "$PPROC" --header --max-record=100K long | cmp long -
    left_out long 'its header is too long' --header --max-record=1K long
    { head -c 60000 /dev/zero | tr '\0' h && printf '\n1\n'; } >long
    "$PPROC" --header --max-record=1 long | cmp long -
}

@test "a record behind the header is out while the pipe stays open" {
    : >actual
    {
        printf 'head\nfirst\n'
        eventually grep -q first actual
        echo end
    } | "$PPROC" --header >actual
    cmp <(printf 'head\nfirst\nend\n') actual
}

@test "a header that cannot be written ends the run" {
    local pattern
    for pattern in . nothing; do
        run -4 bash -c '"$0" --header -m "$1" a.csv >/dev/full' "$PPROC" $pattern
        [[ $output == 'pproc: standard output: cannot be written: '* ]]
    done
}

@test "options of headers must make sense" {
    refused "bad value '0' for --header: allowed is a number of lines" --header=0 a.csv
    refused "bad value '1' for --header-out: allowed is 0" --header --header-out=1 a.csv
    refused '--header is missing' --header-out=0 a.csv
}
