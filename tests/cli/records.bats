#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What a record is: some lines (-L), lines from one that matches to the next (--record-start), an
# operand (--args).

# shellcheck disable=SC2002,SC2016,SC2059,SC2094,SC2154,SC2164
load common

CATASTROPHE='^(a+)+$'
MANY_AS=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
}

# reads COUNT: a FASTQ file, in which every third read is of the run SRR1
reads()
{
    awk -v count="$1" 'BEGIN {
        srand(1)
        for (i = 0; i < count; i++) {
            length_ = 1 + int(rand() * 150)
            bases = substr(sprintf("%150s", ""), 1, length_)
            gsub(" ", substr("ACGT", 1 + i % 4, 1), bases)
            printf "@%s.%d\n%s\n+\n%s\n", i % 3 ? "ERR" : "SRR1", i, bases, bases
        }
    }'
}

# stanzas SEED: records of 1 to 12 lines of up to 300 bytes, of which the first begins with ">"; some
# lines stand before the first.
stanzas()
{
    awk -v seed="$1" 'BEGIN {
        srand(seed)
        filler = sprintf("%300s", "x")
        print "ahead"
        for (i = 0; i < 3000; i++) {
            print ">" i
            for (lines = int(rand() * 12); lines > 0; lines--)
                print lines substr(filler, 1, int(rand() * rand() * 300))
        }
    }'
}

# Every way to run the same: workers, memory, queue, drive, where the bytes come from.
# same_output OPTIONS: does each write what is in `expected`, given `in`?
same_output()
{
    local jobs memory drive
    for jobs in 1 4; do
        for memory in 1 64M; do
            for drive in self-serve threaded; do
                PPROC_DRIVE=$drive "$PPROC" -j$jobs -S $memory "$@" in | cmp expected -
            done
        done
        cat in | "$PPROC" -j$jobs --queue-size=3 "$@" | cmp expected -
        "$PPROC" -j$jobs -S 1 "$@" <in | cmp expected -
    done
}

# refused TEXT OPTION...: a usage error whose message has the text.
refused()
{
    run --separate-stderr -2 "$PPROC" "${@:2}"
    [[ -z $output && $stderr == "pproc: "*"$1"* ]]
}

@test "-L keeps whole reads of FASTQ, compressed or not" {
    reads 20000 >in
    awk 'NR % 12 >= 1 && NR % 12 <= 4' in >expected
    same_output -L4 -m '^@SRR'
    gzip <in >reads.fq.gz
    "$PPROC" -L4 -m '^@SRR' reads.fq.gz | cmp expected -
    [[ $("$PPROC" -L4 -c -m '^@SRR' reads.fq.gz) == 6667 ]]
    "$PPROC" -L4 -u -m '^@SRR' in | paste - - - - | sort | cmp <(paste - - - - <expected | sort) -
}

@test "--record-start keeps whole records of FASTA" {
    printf '>a\nGATTACA\n>b\nGAT\nTACA\n>c\nTTGATTACA\nTT' >x.fa
    "$PPROC" --record-start '^>' -m GATTACA x.fa |
        cmp <(printf '>a\nGATTACA\n>c\nTTGATTACA\nTT') -
    [[ $("$PPROC" --record-start '^>' -c x.fa) == 3 ]]
}

@test "--record-start drops whole stack traces" {
    printf '%s\n' '2026-01-01 INFO up' '2026-01-01 ERROR no' '  at a.b(c.java:1)' '  at d.e' \
        '2026-01-02 INFO down' >log
    "$PPROC" --record-start '^\d{4}-\d\d-\d\d ' -v '^\S+ ERROR ' log |
        cmp <(printf '2026-01-01 INFO up\n2026-01-02 INFO down\n') -
}

@test "lines before the first start are a record, and all lines if none starts one" {
    printf 'a\nb\n>c\nd\n' >in
    [[ $("$PPROC" --record-start '^>' -c in) == 2 ]]
    "$PPROC" --record-start '^>' -m a in | cmp <(printf 'a\nb\n') -
    [[ $("$PPROC" --record-start X -c in) == 1 ]]
    [[ $("$PPROC" --record-start . -c in) == 4 ]]
}

@test "an operation sees all lines of a record, but not its last delimiter" {
    printf 'a\nb\nc\nb\n' >in
    "$PPROC" -L2 -m '^a\nb$' in | cmp <(printf 'a\nb\n') -
    "$PPROC" -L2 -v '^b' in | cmp in - # ^ is the beginning of the record,
    "$PPROC" -L2 -v 'a.b' in | cmp in - # and . is no newline
    [[ $("$PPROC" -L2 -c -m '[^c]b' in) == 2 ]]
    "$PPROC" -L2 -s 's/\n/-/' in | cmp <(printf 'a-b\nc-b\n') -
    "$PPROC" -L2 -m '^(.)\n(.)' -p '$2$1' in | cmp <(printf 'ba\nbc\n') -
    "$PPROC" -L2 -m '^.$' in >actual
    [[ ! -s actual ]]
}

@test "an empty line at the end of a record is part of it" {
    printf 'a\n\n\n\n' >in
    "$PPROC" -L2 -m '^a\n$' -p '[$0]' in | cmp <(printf '[a\n]\n') -
    "$PPROC" -L4 -p '[$0]' in | cmp <(printf '[a\n\n\n]\n') -
}

@test "a last record of fewer lines is processed, with one warning" {
    printf '1\n2\n3\n4\n5' >one
    run --separate-stderr -0 "$PPROC" -L2 -s 's/\n/+/' one one
    [[ $output == $'1+2\n3+4\n5\n1+2\n3+4\n5' ]]
    [[ $stderr == 'pproc: one: the last record has 1 of 2 lines' ]]
    run --separate-stderr -0 "$PPROC" -L3 --quiet one
    [[ -z $stderr ]]
    run --separate-stderr -0 "$PPROC" -L5 one
    [[ -z $stderr ]]
}

@test "lines end in what -d and -0 say" {
    printf 'a\n;b;c;d' | "$PPROC" -d ';' -L2 -v a | cmp <(printf 'c;d') -
    printf '>a\0b\n>c\0>d\0' | "$PPROC" -0 --record-start '^>' -m c | cmp <(printf '>a\0b\n>c\0') -
}

@test "-i and -F do not hold for --record-start, --utf does" {
    printf 'A\na\n.\nb\n' >in
    [[ $("$PPROC" --record-start '^a' -i -m x -c in) == 0 ]]
    [[ $("$PPROC" --record-start '^a' -i -c in) == 2 ]]
    [[ $("$PPROC" --record-start '^.$' -F -c in) == 4 ]]
    printf 'e\n\xc3\xa9\ne\n' >in
    [[ $("$PPROC" --record-start '^.$' -c in) == 2 ]]
    [[ $("$PPROC" --record-start '^.$' --utf -c in) == 3 ]]
}

@test "what records are must be told in one way, and rightly" {
    refused '--record-lines and --record-start cannot be together' -L2 --record-start x
    refused '--replay and --record-lines cannot be together' --replay -L2 x
    refused '--replay and --record-start cannot be together' --replay --record-start x x
    refused '--replay and --header cannot be together' --replay --header x
    refused "bad value '0' for --record-lines (-L): allowed is a number of lines" -L0
    refused "bad value 'x' for --record-lines" --record-lines=x
    refused '--record-start: ' --record-start 'a(b'
    refused '--record-start: ' --explain --record-start 'a(b'
}

@test "-L gives the same whatever workers, memory and queue" {
    reads 3000 >in
    paste - - - - <in | grep -v C | tr '\t' '\n' >expected
    same_output -L4 -v C
    cp in expected
    same_output -L7 --quiet
    awk '{ printf "%s%s", $0, NR % 2 ? "~" : "\n" }' in >expected
    same_output -L2 -s 's/\n/~/'
}

@test "--record-start gives the same whatever workers, memory and queue" {
    local seed
    for seed in 1 2; do
        stanzas $seed >in
        cp in expected
        same_output --record-start '^>'
        awk '/^>/ { last = /7$/ } last' in >expected
        same_output --record-start '^>' -m '^>\d*7(?!\d)'
        [[ $("$PPROC" -j4 --record-start '^>' -c in) == 3001 ]]
    done
}

@test "-L of empty lines makes the smallest records" {
    head -c 300000 /dev/zero | tr '\0' '\n' >in
    cp in expected
    same_output -L2
    [[ $("$PPROC" -L3 -c in) == 100000 ]]
}

@test "a record of lines that has arrived is out while the pipe stays open" {
    local drive
    : >actual
    for drive in self-serve threaded; do
        {
            printf '%s\nwhole\n' "$drive"
            eventually grep -q "$drive" actual
            echo end
        } | PPROC_DRIVE=$drive "$PPROC" -j4 -L2 --quiet >actual
        cmp <(printf '%s\nwhole\nend\n' "$drive") actual
    done
}

@test "a record is complete when the next one has begun" {
    local drive
    : >actual
    for drive in self-serve threaded; do
        {
            printf '>%s\nmore\n>next\n' "$drive"
            eventually grep -q more actual
            echo end
        } | PPROC_DRIVE=$drive "$PPROC" -j4 --record-start '^>' >actual
        cmp <(printf '>%s\nmore\n>next\nend\n' "$drive") actual
        : >actual
    done
}

@test "damage cuts the record it is in, with its whole lines, and the size of that is told" {
    printf 'a\nb\nc\nd\ne\n' | gzip >whole.gz
    head -c -8 whole.gz >cut.gz
    run --separate-stderr -3 "$PPROC" -L2 cut.gz
    [[ $output == $'a\nb\nc\nd' && $stderr == 'pproc: cut.gz: '*'(2 bytes of it)'* ]]
    run --separate-stderr -3 "$PPROC" --record-start '[ac]' cut.gz
    [[ $output == $'a\nb' && $stderr == 'pproc: cut.gz: '*'(6 bytes of it)'* ]]
    run --separate-stderr -3 "$PPROC" -L5 cut.gz missing
    [[ $output == $'a\nb\nc\nd\ne' && $stderr == *'pproc: missing: '* ]]
}

@test "a record of lines that is too long fails, the others go on" {
    printf '%s\n' 1 2 333 4 555 66 7 8 >in
    run -1 --separate-stderr "$PPROC" -L2 --max-record=5 in
    [[ $output == $'1\n2\n333\n4\n7\n8' && $stderr == *'in:3: too-long: a record of 6 bytes'* ]]
    printf '>%s\n' 1 $'2\n22' $'3\n333' 4 >in
    run -1 --separate-stderr "$PPROC" --record-start '^>' --max-record=5 in
    [[ $output == $'>1\n>2\n22\n>4' && $stderr == *'in:3: too-long: a record of 6 bytes'* ]]
    awk 'BEGIN { for (i = 0; i < 1000000; i++) print i == 500000 ? ">2" : "x" }' >in
    run -1 --separate-stderr "$PPROC" --record-start '^>' --max-record=100K in
    [[ -z $output ]]
    [[ $stderr == *'in:1: too-long: a record of 999999 bytes'*'in:2: too-long: a record of 1000000 '* ]]
}

@test "a line on which --record-start is given up begins no record, with one warning" {
    printf '%s\n' aa "$MANY_AS" b aaa "$MANY_AS" >in
    run --separate-stderr -0 "$PPROC" --record-start "$CATASTROPHE" -s 's/\n/+/g' in
    [[ $output == "aa+$MANY_AS+b"$'\n'"aaa+$MANY_AS" ]]
    [[ $stderr == "pproc: a line of ${#MANY_AS} bytes is taken to begin no record: "* ]]
    [[ $stderr != *$'\n'* ]]
}

@test "a record of lines on which a pattern is given up fails alone" {
    printf '%s\n' x 1 "$MANY_AS" 2 y 3 >in
    run --separate-stderr -1 "$PPROC" -L2 -v '^(a+)+\n' in
    [[ $output == $'x\n1\ny\n3' && $stderr == *"in:2: regex"* ]]
}

@test "dead letters of records of lines have the lines, and are run again" {
    printf '%s\n' x 1 "$MANY_AS" 2 y 3 >in
    run -1 "$PPROC" -L2 -v '^(a+)+\n' --dead-letter=dead in
    jq -e --arg line "$MANY_AS" '.nr == 2 and .offset == 4 and .record == $line + "\n2"' dead
    "$PPROC" --replay -m '^[^2]+2$' dead | cmp <(sed -n 3,4p in) -
    run -1 "$PPROC" --header --max-record=2 --dead-letter=dead2 <<<$'head\nx\nlong'
    jq -e '.nr == 2 and .offset == 7' dead2
}

@test "--args takes the operands for the records" {
    "$PPROC" --args b -- 2>/dev/null && return 1
    "$PPROC" --args a 'b c' '' $'d\ne' missing | cmp <(printf 'a\nb c\n\nd\ne\nmissing\n') -
    [[ $("$PPROC" --args -c a '' $'d\ne') == 3 ]]
    "$PPROC" --args -s 's/\n/+/' $'d\ne' $'f\n' | cmp <(printf 'd+e\nf+\n') -
    "$PPROC" -0 --args a $'b\nc' | cmp <(printf 'a\0b\nc\0') -
    "$PPROC" --args -m '^e' $'d\ne' e - | cmp <(printf 'e\n') -
}

@test "--args without operands has no records, and reads nothing" {
    {
        "$PPROC" --args >actual
        [[ $(cat) == unread ]]
    } <<<unread
    [[ ! -s actual ]]
}

@test "--args fails operands that are too long alone" {
    run --separate-stderr -1 "$PPROC" --args --max-record=3 a bcde fgh ijkl m
    [[ $output == $'a\nfgh\nm' ]]
    [[ $stderr == *'--args:2: too-long: a record of 4 bytes'*'--args:4: too-long'* ]]
}

@test "--args gives the same whatever workers, memory and queue" {
    local drive operands
    mapfile -t operands < <(seq 5000)
    printf '%s\n' "${operands[@]}" >expected
    for drive in self-serve threaded; do
        PPROC_DRIVE=$drive "$PPROC" -j4 -S 1 --args "${operands[@]}" | cmp expected -
        PPROC_DRIVE=$drive "$PPROC" -j4 --args "${operands[@]}" --stats=json 2>err | cmp expected -
        account_balances err
        [[ $(account read err) == 5000 && $(account bytes_in err) == $(wc -c <expected) ]]
    done
    "$PPROC" -j4 --queue-size=7 --args "${operands[@]}" | cmp expected -
}

@test "--args is together with nothing that tells of inputs" {
    refused '--args and --files0-from cannot be together' --args --files0-from=x
    refused '--args and --record-lines cannot be together' --args -L2 x
    refused '--args and --record-start cannot be together' --args --record-start x y
    refused '--args and --header cannot be together' --args --header x
    refused '--args and --replay cannot be together' --args --replay x
}

@test "--explain tells what records are" {
    run -0 "$PPROC" --explain -L4 --header=2 x
    [[ $output == *$'\nrecord-lines: 4\nheader: 2 lines, put out once\n'* ]]
    run -0 "$PPROC" --explain --header --header-out=0 x
    [[ $output == *$'\nheader: 1 line, not put out\n'* ]]
    run -0 "$PPROC" --explain --header x -- cat
    [[ $output == *$'\nheader: 1 line, given to each batch, put out once\n'* ]]
    run -0 "$PPROC" --explain --header --header-out=0 x -- cat
    [[ $output == *$'\nheader: 1 line, given to each batch, outputs have none\n'* ]]
    run -0 "$PPROC" --explain --header --timeout 1.5s x -- echo {}
    [[ $output == *$'\nheader: 1 line, not put out\n'* ]]
    [[ $output == *$'\ntimeout: 1.5 s for each attempt, SIGKILL 2 s later\n'* ]]
    "$PPROC" --explain --record-start '^>' x | grep -qx 'record-start: ^>'
    "$PPROC" --explain --args x y | grep -qx 'inputs: none (2 operands are the records)'
}
