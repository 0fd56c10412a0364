#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# gzip inputs: read whole and verified, or told.

# shellcheck disable=SC2002,SC2094,SC2154,SC2164
load common

setup_file()
{
    python3 "$srcdir/tests/data/corrupt.py" gzip "$BATS_FILE_TMPDIR/data"
}

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    data=$BATS_FILE_TMPDIR/data
}

@test "gzip is decompressed, whatever its name, from a file and from a pipe" {
    gzip -c "$SAMPLE" >x.gz
    cp x.gz x.log
    "$PPROC" -j4 x.gz | cmp "$SAMPLE" -
    "$PPROC" -j4 x.log | cmp "$SAMPLE" -
    "$PPROC" -j4 <x.gz | cmp "$SAMPLE" -
    cat x.gz | "$PPROC" -j4 | cmp "$SAMPLE" -
}

@test "operations see the decompressed records" {
    gzip -c "$SAMPLE" >x.gz
    "$PPROC" -m '" 500 ' x.gz | cmp <(grep -F '" 500 ' "$SAMPLE") -
}

@test "plain and compressed inputs follow one another" {
    gzip -c "$SAMPLE" >x.gz
    echo between >plain
    "$PPROC" x.gz plain x.gz | cmp <(cat "$SAMPLE" plain "$SAMPLE") -
}

@test "a record may go on from one member to the next" {
    { printf 'one rec' | gzip && printf 'ord\nlast\n' | gzip; } >x.gz
    "$PPROC" x.gz | cmp <(printf 'one record\nlast\n') -
}

@test "one layer is decompressed" {
    gzip -c "$SAMPLE" >once
    gzip -c once | "$PPROC" | cmp once -
}

@test "a record that has arrived is out while the compressed pipe stays open" {
    : >actual
    {
        echo first | gzip
        eventually grep -q first actual
        echo last | gzip
    } | "$PPROC" -j4 >actual
    cmp <(printf 'first\nlast\n') actual
}

@test "what gzip reads without complaint is read, and gives the same" {
    local out count=0
    for out in "$data"/*.out; do
        "$PPROC" "${out%.out}.gz" | cmp "$out" -
        ((++count))
    done
    ((count > 10))
}

@test "a file that is cut anywhere gives its whole records, and is told" {
    local file part
    for file in "$data"/cut-*.gz; do
        part=${file%.gz}.part
        [[ ! -e ${file%.gz}.out ]] || continue # between two members
        damaged "$file"
        head -n "$(wc -l <"$part")" "$data/text" | cmp actual -
    done
}

@test "no other damage is taken for a whole file" {
    local file
    for file in "$data"/{flip,header,large,second}-*.gz; do
        [[ -e ${file%.gz}.out ]] || damaged "$file"
    done
}

@test "a flipped bit gives the whole records before it" {
    local file part
    for file in "$data"/flip-*.gz; do
        part=${file%.gz}.part
        [[ -e ${file%.gz}.out ]] && continue
        damaged "$file"
        head -n "$(wc -l <"$part")" "$part" | cmp actual -
    done
}

@test "the message tells the place and how much of a record is lost" {
    { echo whole && printf cut; } | gzip -n >x.gz
    truncate -s -8 x.gz
    damaged x.gz "at byte $(stat -c %s x.gz)"
    grep -qF '(3 bytes of it)' err
    cmp <(echo whole) actual
}

@test "of a file with garbage behind all records are kept, and it is told" {
    local file
    { printf 'whole\nlast' | gzip && echo garbage; } >x.gz
    damaged x.gz 'not gzip data follows'
    cmp <(printf 'whole\nlast') actual
    for file in "$data"/garbage-*.gz; do
        damaged "$file"
        # What might begin another member ends early: then the last record is cut.
        grep -q 'ends early' err || cmp "${file%.gz}.part" actual
    done
}

@test "the other inputs go on after a damaged one" {
    local status=0
    echo text | gzip | head -c 15 >x.gz
    echo next >next
    "$PPROC" x.gz next x.gz >actual 2>err || status=$?
    [[ $status == 3 ]]
    cmp next actual
    [[ $(grep -c '^pproc: x.gz: ' err) == 2 ]]
}

@test "damage on standard input is told as on a file" {
    local status=0
    gzip -c "$SAMPLE" | head -c 50000 | "$PPROC" >actual 2>err || status=$?
    [[ $status == 3 ]]
    [[ $(<err) == 'pproc: -: '*'ends early, at byte 50000'* ]]
    cmp -n "$(stat -c %s actual)" "$SAMPLE" actual
    [[ -s actual ]]
}
