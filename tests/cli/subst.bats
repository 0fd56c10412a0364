#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --subst, --print, --count and --utf.

# shellcheck disable=SC2016,SC2154,SC2164
load common

# Takes more than 10 million steps on MANY_AS.
CATASTROPHE='(a+)+$'
MANY_AS=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
}

# gives EXPECTED OPTIONS...: what comes out for the standard input
gives()
{
    local expected=$1
    shift
    "$PPROC" "$@" >actual
    printf '%s' "$expected" | cmp - actual
}

# same_output OPTIONS...: is it what is in `expected`, given `in`, however it comes about?
same_output()
{
    local memory drive
    for memory in 1 64M; do
        for drive in self-serve threaded; do
            PPROC_DRIVE=$drive "$PPROC" -j8 -S $memory "$@" in | cmp expected -
        done
    done
    "$PPROC" -j1 "$@" <in | cmp expected -
    "$PPROC" -u "$@" in | sort | cmp <(sort expected) -
}

# A program in Perl that runs s/RE/TEXT/FLAGS on records, one a line, for many generated
# expressions, and writes each expression and what it gives into files.
GENERATOR='
    use strict;
    no warnings;
    srand(1);
    sub pick { return $_[int(rand(@_))] }
    my @atoms = ("a", "b", "[ab]", ".", "(a|b)", "(ab)?", "(a*)", "\\b", "^", "\$", "(?=b)", "x*",
        "(?<=a)", "c?", "a+?", "(b|)", "\\w", "[^a]", "(c)", "\\d+", "b{2}", "|", "(\\d)(\\d)", "\\s*",
        "a*?", "(?i)A", "\\B", "(?!a)", "\\.");
    my @texts = ("", "x", "\$0", "<\$0>", "\$1", "\${1}0", "[\$2-\$1]", "\\1&\\2", "\\\$\\\\",
        "a\\tb\\nc");
    my @records = ("", "a", "b", "ab", "baaac", "10.20.30.4", "a b", "aabb ccc", "  ", "A1b2");
    push(@records, join("", map { pick(split(//, "aabbc1. A")) } 1 .. rand(20))) for 1 .. 140;
    open(my $in, ">", "in");
    print $in "$_\n" for @records;
    for my $case (1 .. 250) {
        my $re = join("", map { pick(@atoms) } 1 .. 1 + rand(4));
        my $groups = () = $re =~ /\((?!\?)/g;
        my $text = pick($groups < 2 ? @texts[0 .. 3, 8, 9] : @texts);
        my ($count, $flags) = (0, pick("", "g", "g", "g", "2", "3"));
        open(my $expr, ">", "expression.$case");
        print $expr "s/$re/$text/$flags";
        open(my $out, ">", "expected.$case");
        $text =~ s/\$0/\$&/g;
        $text =~ s/\\([12])/\$$1/g;
        my $code = $flags =~ /\d/ ? "s/(?:)\$re/++\$count == $flags ? \"$text\" : \$&/ge"
                                  : "s/(?:)\$re/$text/$flags";
        my $run = eval("sub { \$count = 0; $code; print \$out \"\$_\\n\" }") or die $@;
        for my $record (@records) { local $_ = $record; $run->(); }
    }
'

@test "generated expressions give what Perl gives" {
    command -v perl >/dev/null || skip "there is no perl"
    perl -e "$GENERATOR"
    [ -e expected.250 ]
    for expected in expected.*; do
        expression=$(cat "expression.${expected#*.}")
        "$PPROC" -s "$expression" in >actual
        cmp "$expected" actual || { echo "$expression"; false; }
    done
}

@test "matches are replaced in the sample log as sed replaces them" {
    for expression in 's/" 500 /" 599 /' 's/^([^ ]+) /<\1> /' 's/[0-9]+/N/g' 's/[0-9]+/\n/3' \
        's,"(GET|POST) (/[^ ]*),\2 by \1,' 's/.*//' 's/no such line/x/'; do
        sed -E "$expression" "$SAMPLE" >expected
        "$PPROC" -j2 -s "$expression" "$SAMPLE" | cmp expected -
    done
}

@test "the output of operations is the same however it comes about" {
    awk '{ for (i = 0; i < 8; i++) print i, $0 }' "$SAMPLE" >in
    sed -nE '/GET/{s/[0-9]+/<&>/g;/<1>/!p}' in >expected
    same_output -m GET -s 's/\d+/<$0>/g' -v '<1>'
    sed -nE 's/^(.).*"(GET|PUT) ([^ ]*).*/\3 \2\1/p' in >expected
    same_output -m '^(.).*"(GET|PUT) ([^ ]*)' -p '$3 ${2}$1'
    sed 's/.*/&&&&/' in >expected
    same_output -p '$0$0$0$0'
}

@test "operations are done in the order given" {
    gives $'b\n' -s 's/a/b/' -v a -m b <<<$'a\nc'
    gives '' -v a -s 's/b/a/' -v a <<<$'a\nb'
    gives $'3 2\n' -s 's/1/2/' -s 's/2/3/' <<<'1 2'
    gives $'[x]\n' -s 's/a/x/' -p '[$0]' <<<a
    gives $'y\n' -p 'x' -s 's/x/y/' <<<a
}

@test "print takes the captures of the last match before it, as they were" {
    gives $'b-a\n' -m '(\w) (\w)' -p '$2-$1' -v x <<<$'a b\nabc'
    gives $'b-a\n' -m '(\w) (\w)' -s 's/./Z/g' -p '$2-$1' <<<'a b'
    gives $'2 1\n' -s 's/x/1/' -m '(\d)(\d)' -s 's/.*//' -s 's/^/y/' -v z -p '$2 $1' <<<x2
    gives $'b\n' -m '(a)' -m '(b)' -p '$1' <<<ab
    gives $'a-a\n' -m '(a)' -p 'x' -s 's/x/y/' -p '$1-$0' <<<ab
    gives $'<ab>\n' -v x -p '<$0>' <<<ab
}

@test "named, unset and repeated groups" {
    gives $'2026/11\n' -m '(?<y>\d+)-(?<m>\d+)' -p '${y}/${m}' <<<'on 2026-11-22'
    gives $'<>b\n' -s 's/(a)|(b)/<$1>$2/' <<<b
    gives $'a=1\nb=2\n' -m '(?J)^(?:a(?<n>\d)|b(?<n>\d))' -s 's/(.)(.)/$1=$2/' <<<$'a1\nb2'
    gives $'1\n2\n' -m '(?J)^(?:a(?<n>\d)|b(?<n>\d))' -p '${n}' <<<$'a1\nb2'
}

@test "the last record stays without its delimiter, unless more follows" {
    printf 'a\nb\na' >in
    gives $'x\nb\nx' -s 's/a/x/' in
    gives $'x\nb\nx\nx\nb\nx' -s 's/a/x/' in in
    gives $'\nb\n\n\nb\n' -s 's/a//' in in
    gives $'a\n\nb\na\n\na\n\nb\na\n' -s 's/a/a\n/' in in
    gives $'<a>\n<b>\n<a>\n' -u -j1 -p '<$0>' in
    gives $'\nb\n\n' -u -j1 -s 's/a//' in
}

@test "records that end in another byte keep it" {
    printf 'a\nb\0c\0' | "$PPROC" -0 -s 's/\n/x/' >actual
    printf 'axb\0c\0' | cmp - actual
    printf 'a;b' | gives '<a>;<b>' -d ';' -p '<$0>'
}

@test "ignore-case and fixed-strings hold for substitute, wherever they stand" {
    gives $'xx\n' -s 's/A/x/g' -i <<<aA
    gives $'ax\n' -s 's/A/x/g' <<<aA
    gives $'xx\n' -s 's/A/x/gi' <<<aA
    gives $'aab<a.b>\n' -F -s 's/a.b/<$0>/g' <<<aaba.b
}

@test "a record on which substitute gives up fails, and only it" {
    printf '%s\n' aab "x$MANY_AS" aa "$MANY_AS" aaa >in
    run --separate-stderr -1 "$PPROC" -s 's/x/y/' -s "s/$CATASTROPHE/-/" -v z --stats=json in
    [ "$output" = $'aab\n-\n-' ]
    [[ $stderr == *"pproc: in:2: regex: more than 10 million steps of backtracking in --subst '(a+)+\$'"* ]]
    [[ $stderr == *"pproc: in:4: "* ]]
    tail -n 1 <<<"$stderr" | jq -e '[.read, .emitted, .failed, .bytes_out] == [5, 3, 2, 8]'
}

@test "a match whose captures are used fails likewise" {
    run --separate-stderr -1 "$PPROC" -m "$CATASTROPHE" -p '$1' <<<"$MANY_AS"
    [ -z "$output" ]
    [[ $stderr == *"in --match '(a+)+\$'"* ]]
}

@test "a record of many megabytes is changed" {
    head -c 20000000 /dev/zero | tr '\0' a >in
    sed 's/a/bc/g' in >expected
    "$PPROC" -s 's/a/bb/g' -s 's/bb/bc/g' in | cmp expected -
    "$PPROC" -s 's/a$/x/' -s 's/x$/bc/' in | tail -c 3 | grep -qx abc
}

@test "count prints how many records there would be, and nothing else" {
    gives $'2\n' -c -m a <<<$'a\nb\nab'
    gives $'0\n' -c -m x <<<$'a\nb\nab'
    gives $'0\n' -c </dev/null
    gives $'3\n' -c <<<$'a\nb\nab'
    gives $'1\n' -s 's/a/x/g' --count -v 'x' <<<$'a\nb\nab'
    gives "$(grep -c GET "$SAMPLE")"$'\n' -c -u -j8 -m GET "$SAMPLE"
    printf 'a;b;c' | gives '2;' -d ';' -c -v b
}

@test "count leaves the account true, of records and of bytes" {
    "$PPROC" -c -m a --stats=json 2>account <<<$'a\nb\nab' >actual
    account_balances account
    jq -e '[.read, .emitted, .dropped, .bytes_out] == [3, 2, 1, 2]' account
}

@test "count tells of what could be read, and of records that failed" {
    run --separate-stderr -3 "$PPROC" -c "$SAMPLE" missing
    [ "$output" = "$(wc -l <"$SAMPLE")" ]
    printf '%s\n' a "$MANY_AS" aa >in
    run --separate-stderr -1 "$PPROC" -c -m "$CATASTROPHE" in
    [ "$output" = 2 ]
}

@test "a count that cannot be written is an error" {
    run --separate-stderr -4 bash -c '"$1" -c "$2" >/dev/full' - "$PPROC" "$SAMPLE"
    [[ $stderr == *"standard output: cannot be written"* ]]
}

@test "count and print exclude each other" {
    run --separate-stderr -2 "$PPROC" -p x -c
    [[ $stderr == *"--count and --print"* ]]
}

@test "a bad expression or template is a usage error that shows the place" {
    for bad in 's/a(/b/' 's/a/$1/' 's/a/b' 's/a/b/w' 'a/b/' 's/a/b/0' 's/a/\q/'; do
        run --separate-stderr -2 "$PPROC" -s "$bad" "$SAMPLE"
        [ -z "$output" ]
        [[ $stderr == "pproc: --subst: "* && ${stderr##*$'\n'} =~ ^\ +\^$ ]]
    done
    run --separate-stderr -2 "$PPROC" -m '(?<n>a)' -p 'x${m}' "$SAMPLE"
    [ "$stderr" = 'pproc: --print: unknown group: no group has this name
  x${m}
     ^' ]
    run --separate-stderr -2 "$PPROC" -p '$1' -m '(a)' "$SAMPLE"
    [[ $stderr == *"without a --match before it"* ]]
}

@test "patterns see bytes, or characters with utf" {
    printf '\xc3\xa9t\xc3\xa9\n' >in
    printf '5\n' >expected
    "$PPROC" -m '^.{5}$' -p 5 in | cmp expected -
    "$PPROC" --utf -m '^.{3}$' -p 5 in | cmp expected -
    "$PPROC" -s 's/^\w+$/5/' -v t --utf in | cmp expected -
    "$PPROC" --utf -i -m $'\xc3\x89T' -p 5 in | cmp expected -
    "$PPROC" --utf -i -F -m $'\xc3\x89T' -p 5 in | cmp expected -
    "$PPROC" -s 's/\w//g' in | cmp <(printf '\xc3\xa9\xc3\xa9\n') -
}

@test "with utf invalid bytes pass unaltered and are never matched" {
    printf 'a\xffb\nx\xc3\n\xc3\xa9\xe2\x82z\n' >in
    "$PPROC" --utf in | cmp in -
    "$PPROC" --utf -s 's/./-/g' in >actual
    printf -- '-\xff-\n-\xc3\n-\xe2\x82-\n' | cmp - actual
    "$PPROC" --utf -c -m 'a.b' in | grep -qx 0
    "$PPROC" --utf -m '^[^z]*$' in >actual
    cmp /dev/null actual
    "$PPROC" --utf -s 's/x/y/' "$SAMPLE" | cmp <(sed 's/x/y/' "$SAMPLE") -
    run --separate-stderr -2 "$PPROC" --utf -m $'a\xff' in
    [[ $stderr == *"--match: UTF-8 error"* ]]
}

@test "an empty last alternative before a repeat matches as in Perl" {
    gives $'bb\n' -m '(b|)x*bb' <<<bb
    gives $'<>bb\n' -s 's/(b|)x*(?=bb)/<$1>/' <<<bb
}
