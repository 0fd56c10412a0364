#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --match, --exclude and how their patterns are read.

# shellcheck disable=SC2154,SC2164
load common

# Takes more than 10 million steps on MANY_AS.
CATASTROPHE='(a+)+$'
MANY_AS=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
}

# same_as_grep GREP-OPTIONS OPTIONS PATTERN...: on the sample, and one pattern after another
same_as_grep()
{
    local grep=$1 options=$2 pattern
    shift 2
    for pattern; do
        # shellcheck disable=SC2086
        grep -a $grep -e "$pattern" "$SAMPLE" >expected || true
        # shellcheck disable=SC2086
        "$PPROC" $options "$pattern" <"$SAMPLE" >actual
        cmp expected actual
    done
}

# Patterns that match some lines of the sample, all, none.
REGEXES=('" 500 ' '"(GET|POST) /api/v\d+/users/(\d+)' '^(\d+)\.\d+\.\1\.' 'get' '\bPOST\b(?!.*cart)'
    '(?<=HTTP/1\.[01]" )30[14]' '[^"]*$' '' '^$' 'no such line' '\x22 4\d\d \d{2,3} ' '(?i)\d7MS$'
    '^(\S+) .*?"(\w+) ([^"?]*)\?.*?(\d{3}) (\d+) "[^"]*example\.(com|org)' '(?i)Example\.ORG/.*9ms'
    '/(users|orders)/1\d*5 ' '(https?://)+([a-z]+\.)?example\.' '^1.* - - .*"-"' 'users/(\d)\d*\1 H')
STRINGS=('" 500 ' 'GET /' 'get /' '.' '(' '\d' '' '^$' 'no such line')

@test "match keeps what grep -P keeps" {
    same_as_grep "-P" "-m" "${REGEXES[@]}"
}

@test "match keeps what Perl keeps, and captures what it captures" {
    local pattern template
    command -v perl >/dev/null || skip "there is no perl"
    for pattern in "${REGEXES[@]}"; do
        template=$(perl -e '"" =~ /|$ARGV[0]/; print join("|", map { "\$$_" } 0 .. $#+)' "$pattern")
        perl -lne 'BEGIN { $pattern = qr/${\shift}/ }
            $line = $_;
            print join("|", map { substr($line, $-[$_], $+[$_] - $-[$_]) } 0 .. $#+)
                if $line =~ $pattern' "$pattern" "$SAMPLE" >expected
        "$PPROC" -m "$pattern" -p "$template" <"$SAMPLE" >actual
        cmp expected actual
    done
}

@test "exclude keeps what grep -Pv keeps" {
    same_as_grep "-Pv" "-v" "${REGEXES[@]}"
}

@test "match with ignore-case keeps what grep -Pi keeps" {
    same_as_grep "-Pi" "-i -m" "${REGEXES[@]}"
}

@test "exclude with ignore-case keeps what grep -Piv keeps" {
    same_as_grep "-Piv" "-i -v" "${REGEXES[@]}"
}

@test "match of fixed strings keeps what grep -F keeps" {
    same_as_grep "-F" "-F -m" "${STRINGS[@]}"
}

@test "exclude of fixed strings keeps what grep -Fv keeps" {
    same_as_grep "-Fv" "-F -v" "${STRINGS[@]}"
}

@test "match of fixed strings with ignore-case keeps what grep -Fi keeps" {
    same_as_grep "-Fi" "-F -i -m" "${STRINGS[@]}"
}

@test "exclude of fixed strings with ignore-case keeps what grep -Fiv keeps" {
    same_as_grep "-Fiv" "-F -i -v" "${STRINGS[@]}"
}

@test "of several operations all must keep a record" {
    grep GET "$SAMPLE" | grep -v '" 200 ' | grep -P 'users/\d*7' >expected
    [[ -s expected ]]
    "$PPROC" -m GET -v '" 200 ' -m 'users/\d*7' <"$SAMPLE" >actual
    cmp expected actual
}

@test "ignore-case and fixed-strings hold for all patterns, wherever they stand" {
    printf '%s\n' a.b A.B axb cd >in
    "$PPROC" -m A.B -v CD -i -F in >actual
    printf '%s\n' a.b A.B | cmp - actual
}

@test "the long names, and -e for -m, mean the same" {
    printf '%s\n' ab AB ac b >in
    printf '%s\n' ab AB >expected
    "$PPROC" --match=A --exclude C --ignore-case in | cmp expected -
    "$PPROC" -ieA -vC in | cmp expected -
    "$PPROC" --fixed-strings -im A -v C in | cmp expected -
}

@test "an empty record matches what matches the empty string" {
    printf 'a\n\n\nb\n' >in
    "$PPROC" -m '^$' in >actual
    printf '\n\n' | cmp - actual
    "$PPROC" -v '^$' in >actual
    printf 'a\nb\n' | cmp - actual
}

@test "there is no empty record after the last delimiter" {
    printf 'a\n' | "$PPROC" -v a >actual
    [[ ! -s actual ]]
}

@test "no input gives no output" {
    "$PPROC" -m '' </dev/null >actual
    [[ ! -s actual ]]
}

@test "a last record without a delimiter is matched, and stays without" {
    printf 'a\nb\nab' | "$PPROC" -m a >actual
    printf 'a\nab' | cmp - actual
}

@test "a record before a last one that is dropped keeps its delimiter" {
    printf 'a\nb' | "$PPROC" -m a >actual
    printf 'a\n' | cmp - actual
}

@test "NUL, carriage return and bytes that are no UTF-8 pass unaltered" {
    printf 'a\0b\r\n\xff\xfea\n\xc3\n\xc3\xa9\r\nx\n' >in
    "$PPROC" -v x in >actual
    printf 'a\0b\r\n\xff\xfea\n\xc3\n\xc3\xa9\r\n' | cmp - actual
}

@test "patterns see any byte" {
    printf 'a\0b\r\n\xff\xfea\n\xc3\n\xc3\xa9\r\nx\n' >in
    "$PPROC" -m '^a\x00b\r$' in >actual
    printf 'a\0b\r\n' | cmp - actual
    "$PPROC" -m '^[\xfe\xff]{2}' in >actual
    printf '\xff\xfea\n' | cmp - actual
    "$PPROC" -m '^.$' in >actual
    printf '\xc3\nx\n' | cmp - actual
}

@test "without a flag case is ignored for ASCII letters alone" {
    printf 'K\n\xc3\x89\n\xc3\xa9\n' >in
    "$PPROC" -i -m $'k|\xc3\x89' in >actual
    printf 'K\n\xc3\x89\n' | cmp - actual
}

@test "each record is alone: a pattern does not see its neighbours" {
    printf 'a\nb\nc\n' >in
    "$PPROC" -m '(?<=\n)b|a\nb|\Ab\z' in >actual
    printf 'b\n' | cmp - actual
    "$PPROC" -m '(?<![a-z\n])c(?!\n)' in >actual
    printf 'c\n' | cmp - actual
}

@test "with NUL as delimiter newlines are part of records, and of no meaning to ^ and ." {
    printf 'a\nb\0c\0\0b\n\0' >in
    "$PPROC" -0 -m b in >actual
    printf 'a\nb\0b\n\0' | cmp - actual
    "$PPROC" -0 -m '^b' in >actual
    printf 'b\n\0' | cmp - actual
    "$PPROC" -0 -m 'a.b|^$' in >actual
    printf '\0' | cmp - actual
}

@test "\$ matches before a newline at the end of a record, as in Perl" {
    printf 'b\n\0b\na\0' | "$PPROC" -0 -m 'b$' >actual
    printf 'b\n\0' | cmp - actual
}

@test "any byte can be the delimiter" {
    printf 'a;b\n;ba' | "$PPROC" -d ';' -m b >actual
    printf 'b\n;ba' | cmp - actual
    printf 'a\tb\t' | "$PPROC" -d '\t' -m b >actual
    printf 'b\t' | cmp - actual
    printf 'a\xffb\xff' | "$PPROC" -d '\xff' -m b >actual
    printf 'b\xff' | cmp - actual
}

@test "a record that a pattern gives up on fails, and only it" {
    printf '%s\n' aa "$MANY_AS" b aaa >in
    run -1 --separate-stderr "$PPROC" -j1 -m "$CATASTROPHE" in
    [[ $output == $'aa\naaa' ]]
    [[ ${stderr_lines[0]} == "pproc: in:2: "*"10 million"*"--match '$CATASTROPHE'"* ]]
}

@test "it fails under exclude too" {
    printf '%s\n' aa "$MANY_AS" b aaa >in
    run -1 --separate-stderr "$PPROC" -v "$CATASTROPHE" in
    [[ $output == b ]]
    [[ ${stderr_lines[0]} == "pproc: in:2: "*"10 million"*"--exclude '$CATASTROPHE'"* ]]
}

@test "standard input is called - in the message of a failed record" {
    run -1 --separate-stderr "$PPROC" -m "$CATASTROPHE" <<<"$MANY_AS"
    [[ ${stderr_lines[0]} == "pproc: -:1: "* ]]
}

@test "a failed record is numbered within its own input" {
    printf '%s\n' 1 2 3 >one
    printf '%s\n' 1 "$MANY_AS" >two
    run -1 --separate-stderr "$PPROC" -m "1|$CATASTROPHE" one two
    [[ ${stderr_lines[0]} == "pproc: two:2: "* ]]
}

@test "a record that an earlier operation drops is not tried by the later ones" {
    printf '%s\n' aa "x$MANY_AS" >in
    "$PPROC" -v x -m "$CATASTROPHE" in >actual
    printf 'aa\n' | cmp - actual
    run -1 --separate-stderr "$PPROC" -m "$CATASTROPHE" -v x in
    [[ $output == aa ]]
    [[ ${stderr_lines[0]} == "pproc: in:2: "* ]]
}

@test "of many failures the first ten are shown, in order, and all are counted" {
    for ((i = 0; i < 12; i++)); do
        echo "$MANY_AS"
    done >in
    run -1 --separate-stderr "$PPROC" -m "$CATASTROPHE" --stats=json in
    [[ -z $output ]]
    for ((i = 0; i < 10; i++)); do
        [[ ${stderr_lines[i]} == "pproc: in:$((i + 1)): "* ]]
    done
    [[ $stderr != *in:11:* ]]
    [[ ${stderr_lines[10]} == "pproc: "*12*fail* ]]
    account_balances - <<<"$stderr"
    [[ $(account failed - <<<"$stderr") == 12 ]]
}

@test "a record that is too much for the stack of the JIT still matches" {
    { head -c 100000 /dev/zero | tr '\0' a && printf '\nb\nx\n'; } >in
    "$PPROC" -m '^(?:a|b)*$' in >actual
    head -n 2 in | cmp - actual
}

@test "a record that needs too much memory for backtracking fails, and only it" {
    { echo a && head -c 2000000 /dev/zero | tr '\0' a && printf '\nb\nx\n'; } >in
    run -1 --separate-stderr "$PPROC" -m '^(?:a|b)*$' in
    [[ $output == $'a\nb' ]]
    [[ ${stderr_lines[0]} == "pproc: in:2: "*"64 MiB"* ]]
}

@test "a pattern that does not compile is a usage error with a caret at the place" {
    run -2 --separate-stderr "$PPROC" -m 'ab(c|d' </dev/null
    [[ -z $output ]]
    [[ $stderr == $'pproc: --match: missing closing parenthesis\n  ab(c|d\n        ^'* ]]
}

@test "it is found before anything is read" {
    run -2 --separate-stderr "$PPROC" -m ok -v '[z-a]' no-such-file
    [[ $stderr == "pproc: --exclude: "* ]]
    [[ $stderr != *no-such-file* ]]
}

@test "as a fixed string it is fine" {
    "$PPROC" -F -m 'ab(c|d' <<<'xab(c|dx' | cmp - <(echo 'xab(c|dx')
}

@test "a pattern cannot turn UTF on" {
    run -2 --separate-stderr "$PPROC" -m '(*UTF).' </dev/null
    [[ $stderr == "pproc: --match: "*UTF* ]]
}

@test "a pattern that asks not to be compiled to machine code gives the same" {
    "$PPROC" -m '(*NO_JIT)" 500 ' <"$SAMPLE" >actual
    grep '" 500 ' "$SAMPLE" | cmp - actual
}
