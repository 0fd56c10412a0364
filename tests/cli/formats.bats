#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Compressed inputs of every format: read whole and verified, or told. (More of gzip in gzip.bats;
# the decoders themselves against files with every kind of damage in test_decode.)

# shellcheck disable=SC2002,SC2059,SC2094,SC2154,SC2164
load common

setup_file()
{
    export formats="bzip2 gzip lz4 lzip xz zstd"
    cd "$BATS_FILE_TMPDIR"
    for format in $formats; do
        pack "$format" <"$SAMPLE" >"$format"
    done
}

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    data=$BATS_FILE_TMPDIR # the sample log, a file a format
}

# pack FORMAT: compress, as the format's own tool does.
pack()
{
    "$1" -qc
}

# name FORMAT: a name that promises the format.
name()
{
    local -A suffix=([bzip2]=bz2 [gzip]=gz [lz4]=lz4 [lzip]=lz [xz]=xz [zstd]=zst)
    echo "x.${suffix[$1]}"
}

# What was written is a beginning of the sample, of whole records.
begins_sample()
{
    cmp -n "$(stat -c %s actual)" "$SAMPLE" actual
    [[ -z $(tail -c 1 actual) ]]
}

@test "every format is decompressed, whatever its name, from a file and from a pipe" {
    for format in $formats; do
        cp "$data/$format" "$(name "$format")"
        "$PPROC" -j4 "$(name "$format")" | cmp "$SAMPLE" -
        "$PPROC" -j4 "$data/$format" | cmp "$SAMPLE" -
        "$PPROC" -j4 <"$data/$format" | cmp "$SAMPLE" -
        cat "$data/$format" | "$PPROC" -j4 | cmp "$SAMPLE" -
    done
}

@test "inputs of all formats and plain ones follow one another" {
    echo between >plain
    cat "$SAMPLE" plain "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" "$SAMPLE" >expected
    "$PPROC" "$data/xz" plain "$data/zstd" "$data/bzip2" "$data/gzip" "$data/lzip" "$data/lz4" |
        cmp expected -
}

@test "a record may go on from one member to the next" {
    for format in $formats; do
        {
            printf 'one rec' | pack "$format"
            printf 'ord\nlast\n' | pack "$format"
        } | "$PPROC" | cmp <(printf 'one record\nlast\n') -
    done
}

@test "members of two formats are no stream" {
    {
        echo first | pack zstd
        echo second | pack xz
    } >x
    damaged x 'something that is not zstd data follows'
    cmp <(echo first) actual
}

@test "a record that has arrived is out while the compressed pipe stays open" {
    for format in $formats; do
        : >actual
        {
            echo "$format" | pack "$format"
            eventually grep -q "$format" actual
            echo last | pack "$format"
        } | "$PPROC" -j4 >actual
        cmp <(printf '%s\nlast\n' "$format") actual
    done
}

@test "the records of a zstd or lz4 block are out before the frame goes on" {
    local -A block=([zstd]='\x28\xb5\x2f\xfd\0\x58\x30\0\0first\n' [lz4]='\x04\x22\x4d\x18\x60\x40\x82\x06\0\0\x80first\n')
    local -A end=([zstd]='\x29\0\0last\n' [lz4]='\x05\0\0\x80last\n\0\0\0\0')
    for format in zstd lz4; do
        : >actual
        {
            printf "${block[$format]}"
            eventually grep -q first actual
            printf "${end[$format]}"
        } | "$PPROC" -j4 >actual
        cmp <(printf 'first\nlast\n') actual
    done
}

@test "the records of an xz block are out before the rest of it is there" {
    for size in 200KiB 2MiB; do
        xz -c -T2 --block-size="$size" "$SAMPLE" >x
        : >actual
        {
            head -c 50000 x
            eventually test -s actual
            tail -c +50001 x
        } | "$PPROC" -j4 >actual
        cmp "$SAMPLE" actual
    done
}

@test "a file that is cut gives its whole records, and is told" {
    for format in $formats; do
        size=$(stat -c %s "$data/$format")
        for cut in 1 4 20 $((size / 2)) $((size - 30)); do
            head -c $((size - cut)) "$data/$format" >x
            damaged x 'ends early'
            begins_sample
        done
        head -c 9 "$data/$format" >"$(name "$format")"
        damaged "$(name "$format")"
        [[ ! -s actual ]]
    done
}

@test "what was decoded before the damage is not lost" {
    for format in $formats; do
        { cat "$data/$format" && head -c -3 "$data/$format"; } >x
        damaged x
        head -c "$(stat -c %s "$SAMPLE")" actual | cmp "$SAMPLE" -
    done
}

@test "a wrong bit is told" {
    for format in $formats; do
        size=$(stat -c %s "$data/$format")
        for place in 12 $((size / 3)) $((size - 100)); do
            cp "$data/$format" x
            flip x "$place"
            damaged x
        done
    done
}

@test "of a file with garbage behind all records are kept, and it is told" {
    for format in $formats; do
        for garbage in 'garbage\n' 'x' '\0\0\0\0x' '\x1f\x8c'; do
            { printf 'whole\nlast' | pack "$format" && printf "$garbage"; } >x
            damaged x "not $format data follows"
            cmp <(printf 'whole\nlast') actual
        done
    done
}

@test "NULs behind the end are no garbage" {
    for format in $formats; do
        for count in 1 4 511 100000; do
            { cat "$data/$format" && head -c "$count" /dev/zero; } | "$PPROC" | cmp "$SAMPLE" -
        done
    done
}

@test "only of xz may NULs be between two members, a multiple of four" {
    for format in $formats; do
        for count in 1 4 8; do
            echo text | pack "$format" >x
            { cat x && head -c "$count" /dev/zero && cat x; } >y
            if [[ $format == xz && $count != 1 ]]; then
                "$PPROC" y | cmp <(printf 'text\ntext\n') -
            else
                damaged y "not $format data follows"
                cmp <(echo text) actual
            fi
        done
    done
}

@test "a name that promises another format is an error, as is an empty file of such a name" {
    for format in $formats; do
        other=gzip
        [[ $format != gzip ]] || other=xz
        cp "$data/$other" "$(name "$format")"
        damaged "$(name "$format")" "is not $format data, though its name says so"
        [[ ! -s actual ]]
        : >"$(name "$format")"
        damaged "$(name "$format")" 'is empty'
    done
}

@test "the other inputs go on after a damaged one" {
    for format in $formats; do
        head -c 100 "$data/$format" >x
        echo next >next
        run -3 --separate-stderr "$PPROC" x next x
        [[ ${lines[-1]} == next ]]
        [[ $(grep -c '^pproc: x: ' <<<"$stderr") == 2 ]]
    done
}

@test "an empty stream of any format is read" {
    for format in $formats; do
        pack "$format" </dev/null | "$PPROC" >actual
        [[ ! -s actual ]]
    done
}

@test "a frame to be skipped may come before those of lz4 and of zstd" {
    for format in lz4 zstd; do
        {
            printf '\x53\x2a\x4d\x18\x05\0\0\0aside'
            cat "$data/$format"
        } >"$(name "$format")"
        "$PPROC" "$(name "$format")" | cmp "$SAMPLE" -
        cat "$(name "$format")" | "$PPROC" | cmp "$SAMPLE" -
    done
}

@test "compress data is decompressed as gzip has it" {
    for bits in 10 12 16; do
        compress -fc -b "$bits" "$SAMPLE" >x
        "$PPROC" -j4 x | cmp "$SAMPLE" -
        cat x | "$PPROC" -j4 | cmp "$SAMPLE" -
    done
    mv x x.Z
    "$PPROC" x.Z | cmp "$SAMPLE" -
    compress -fc </dev/null | "$PPROC" >actual
    [[ ! -s actual ]]
}

@test "compress data whose codes have no meaning, or end within one, is told" {
    printf '\x1f\x9d\x90a\xfe\xff' >x # a code that there cannot be yet
    damaged x 'the compress (.Z) data is damaged'
    printf 'a\nb\nc\n' | compress -fc | head -c -1 >x
    damaged x 'ends early'
    echo text >x.Z
    damaged x.Z 'is not compress (.Z) data'
}

@test "of compress data that is cut all is read that gzip reads" {
    compress -fc "$SAMPLE" >whole
    for size in 1000 100001 200002; do
        head -c "$size" whole >x
        status=0
        "$PPROC" x >actual 2>err || status=$?
        [[ $status == 3 || $status == 0 ]] # there may be nothing to tell it by
        gzip -dc <x >part
        head -n "$(wc -l <part)" "$SAMPLE" | cmp - <(head -n "$(wc -l <part)" actual)
    done
}

@test "zstd data that needs more than 128 MiB is refused with the limit and a way out" {
    head -c 150000000 /dev/zero | zstd -q --long=28 >x
    damaged x '128 MiB'
    grep -qF -- '--long=31' err
}

@test "xz data in many blocks is read, and one whose checksum is unknown is told" {
    xz -c -T2 --block-size=50000 "$SAMPLE" >x
    "$PPROC" -j1 x | cmp "$SAMPLE" -
    "$PPROC" -j4 x | cmp "$SAMPLE" -
    cat x | "$PPROC" | cmp "$SAMPLE" -
    python3 "$srcdir/tests/data/corrupt.py" xz made
    cp made/unverified-*.xz x
    damaged x 'of a kind that is unknown here'
    cmp <(head -n 100 made/text) actual
}

@test "with --no-decompress bytes are taken as they are, whatever the name" {
    for format in $formats; do
        cp "$data/$format" "$(name "$format")"
        "$PPROC" --no-decompress "$(name "$format")" | cmp "$data/$format" -
        "$PPROC" --no-decompress <"$data/$format" | cmp "$data/$format" -
        echo text >"$(name "$format")"
        "$PPROC" --no-decompress "$(name "$format")" | cmp <(echo text) -
        : >"$(name "$format")"
        "$PPROC" --no-decompress "$(name "$format")" >actual
        [[ ! -s actual ]]
    done
    tar -cf x.tar -C "$srcdir" README.md
    "$PPROC" --no-decompress x.tar | cmp x.tar -
}
