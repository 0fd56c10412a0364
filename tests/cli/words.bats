#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# COMMAND's words: placeholders, the mode that they choose, and what is refused before anything is
# read.
# shellcheck disable=SC2154 # common and bats set output, stderr, lines

load common

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

# explains LINE ARGUMENT...: --explain prints that line, and nothing is read or run.
explains()
{
    local line=$1
    shift
    run --separate-stderr -0 "$PPROC" --explain "$@" <&-
    [ -z "$stderr" ]
    grep -qxF -e "$line" <<<"$output"
}

# refused TEXT ARGUMENT...: a usage error with TEXT in its message; nothing is run.
refused()
{
    local text=$1
    shift
    run --separate-stderr -2 "$PPROC" "$@" <<<'touch ran'
    [ -z "$output" ]
    [[ $stderr == *"$text"* ]]
    [ ! -e ran ]
}

# makes EXPECTED RECORD ARGUMENT...: what COMMAND prints for that record.
makes()
{
    local expected=$1 record=$2
    shift 2
    printf '%s\n' "$record" >in.txt
    "$PPROC" in.txt "$@" >actual
    diff <(printf '%s\n' "$expected") actual
}

@test "--explain names the mode and why" {
    explains 'mode: batch (COMMAND has no placeholder for a record)' -- cat
    explains 'mode: each (COMMAND has {/.})' -- cat 'a{/.}b'
    explains 'mode: each (--each)' --each -- cat
    explains 'mode: each (-n)' -n5 -- cat
    explains 'mode: batch (--batch)' --batch -- cat '{}'
}

@test "--explain shows the words as they were understood" {
    explains "word: 'a b' {} c" -- cat 'a b{}c'
    explains "word: 'a{2}b'" -- sed 'a{2}b'
    explains "word: 'x y' {2}" -C, -- cat 'x y{2}'
    explains "word: '{}' X" -IX -- cat '{}X'
}

@test "{#} and {%} choose no mode, and braces without meaning are plain text" {
    explains 'mode: batch (COMMAND has no placeholder for a record)' -- cat '{#}' '{%}'
    makes '<1{2}>' 7 -- sed -E 's/^[0-9]{1}$/<{#}{2}>/'
}

@test "each placeholder becomes one argument, whatever it contains" {
    makes $'[a  b]\n[$(echo x);*]' $'a  b\n$(echo x);*' -- printf '[%s]\n' '{}'
    makes '[d/x.c][d/x][x.c][d][x]' d/x.c -- printf '[%s][%s][%s][%s][%s]\n' \
        '{}' '{.}' '{/}' '{//}' '{/.}'
    makes '[1][1][in.txt][1]' x -j1 -- printf '[%s][%s][%s][%s]\n' '{#}' '{%}' '{file}' '{nr}'
}

@test "columns are divided by one character as it is, or by a pattern; a missing one is empty" {
    makes '[b][a][]' 'a|b' -C'|' -- printf '[%s][%s][%s]\n' '{2}' '{1}' '{3}'
    makes '[a][b]' 'a , b' -C ' *, *' -- printf '[%s][%s]\n' '{1}' '{2}'
    makes '[y][x.c]' '1,y.c,d/x.c' -C, -- printf '[%s][%s]\n' '{2.}' '{3/}'
}

@test "a column whose pattern gives up fails its record as regex" {
    { printf 'fine\n'; head -c 100 /dev/zero | tr '\0' a; printf 'b\n'; } >in
    run --separate-stderr -1 "$PPROC" in -C '(a|aa)+$' -- echo '{2}{1}'
    [ "$output" = fine ]
    [[ $stderr == *'in:2: regex: '* ]]
}

@test "with --header columns have the names that it gives them" {
    printf 'id,first name,x,id\n1,Ann,d/z.c,9\n2\n' >in
    "$PPROC" in --header -C, -- printf '[%s][%s][%s]\n' '{first name}' '{id}' '{3/.}' >actual
    diff <(printf '[Ann][1][z]\n[][2][]\n') actual
    "$PPROC" in --header -C, --tag='{id}: ' -- echo '{x}' >actual
    diff <(printf '1: d/z.c\n2: \n') actual
    "$PPROC" in --header -C, --tag='{first name}: ' -m Ann >actual
    diff <(printf 'id,first name,x,id\nAnn: 1,Ann,d/z.c,9\n') actual
    "$PPROC" in --header -C, --shell -- 'echo {id}{x}' | grep -qx 1d/z.c
    explains 'mode: each (COMMAND has {id})' --header -C, -- echo '{id}'
}

@test "the last line of a header has the names" {
    printf '# made by hand\na\tb\n1\t2\n' >in
    "$PPROC" in --header=2 -C '\t' -- echo '{b}{a}' >actual
    [ "$(<actual)" = 21 ]
}

@test "a name that the header does not have is a usage error, before anything runs" {
    printf 'id,x\n1,2\n' >in
    echo old >out
    local drive
    for drive in self-serve threaded; do
        export PPROC_DRIVE=$drive
        refused "the header 'id,x' has no column 'y'" in -o out --header -C, \
            -- touch '{x}' ran '{y}'
        refused "the header 'id,x' has no column 'y'" in -o out --header -C, --tag='{y}'
        refused "the header 'id,x' has no column 'y'" in -o out --header -C, --tag='{y}' \
            -- echo '{x}'
    done
    [ "$(<out)" = old ]
}

@test "{NAME} is plain text without --header, without columns, and with blanks at an end" {
    explains 'mode: batch (COMMAND has no placeholder for a record)' -C, -- echo '{id}'
    explains 'mode: batch (COMMAND has no placeholder for a record)' --header -- echo '{id}'
    explains 'mode: batch (COMMAND has no placeholder for a record)' --header -C, -- awk '{ print }'
}

@test "with -I only its text is a placeholder" {
    makes '[r][{}][{#}]' r -I@ -- printf '[%s][%s][%s]\n' @ '{}' '{#}'
}

@test "a second -- and options behind it belong to COMMAND" {
    makes '[--][-j][r]' r -- printf '[%s][%s][%s]\n' -- -j '{}'
}

@test "-- without a COMMAND, and options for one without --, are refused" {
    refused "'--' begins a COMMAND, and there is none" --
    local option
    for option in --each -n2 --batch --shell -IX --dry-run --no-split --binary; do
        refused 'needs a COMMAND' "$option"
    done
}

@test "a placeholder in the text of a shell is refused, with two ways out" {
    refused '--shell' -- sh -c 'echo {}'
    [[ $stderr == *"sh -c '… \"\$1\"' sh {}"* ]]
    refused 'would run as code' -- env bash -ec 'echo "{/}"'
}

@test "a record can be all of the text of a shell, or an argument of it" {
    makes hello 'echo hello' -- sh -c '{}'
    makes '[$(x) "]' '$(x) "' -- sh -c 'printf "[%s]\n" "$1"' sh '{}'
}

@test "--shell makes a quoted word of each placeholder, whatever the record" {
    printf '%s\n' "it's" '$(echo x)' '`echo x`' '*' '-n' '' '"' 'a  b' "\\" ';echo x' '#' '~' \
        >records
    "$PPROC" records --shell -- 'printf "%s\n" {} | cat' >actual
    diff records actual
}

@test "--shell refuses what it cannot quote" {
    refused 'remove them' --shell -- "echo '{}'"
    refused 'remove them' --shell -- 'echo "{}"'
    refused 'here-document' --shell -- $'cat <<E\n{}\nE'
    refused 'one argument, not 2' --shell -- echo '{}'
}

@test "-n gives up to N records to a process, in one place or behind the others" {
    seq 5 | "$PPROC" -n2 -- echo x >actual
    diff <(printf 'x 1 2\nx 3 4\nx 5\n') actual
    seq 5 | "$PPROC" -n3 -- echo '{#}' '{}' y >actual
    diff <(printf '1 1 2 3 y\n4 4 5 y\n') actual
    refused 'there can be only one {}' -n2 -- echo '{}' '{}'
    refused 'there can be only {#} and {%}' -n2 -- echo '{.}'
}

@test "-n never mixes inputs" {
    seq 3 >a
    seq 3 >b
    "$PPROC" a b -n9 -- echo >actual
    diff <(printf '1 2 3\n1 2 3\n') actual
}

@test "a record that cannot be an argument fails alone" {
    printf 'a\0b\nfine\n' >in
    run --separate-stderr -1 "$PPROC" in -n5 -- echo
    [ "$output" = fine ]
    [[ $stderr == *'in:1: spawn: '*NUL* ]]
    { head -c 131072 /dev/zero | tr '\0' x; printf '\nfine\n'; } >in
    run --separate-stderr -1 "$PPROC" in -- echo '{}'
    [ "$output" = fine ]
    [[ $stderr == *'in:1: spawn: '*'128 KiB'* ]]
}

@test "a record that cannot be an argument has no output of another one" {
    printf 'a\nx\0y\n' >in
    run --separate-stderr -1 "$PPROC" in -j1 --retries=1 --keep-failed -- \
        sh -c 'echo "$1"; exit 1' sh '{}'
    [ "$output" = a ]
}
