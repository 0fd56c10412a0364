#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --replay: the records of dead letters are run again.

# shellcheck disable=SC2002,SC2016,SC2094,SC2154,SC2164
load common

# A record that a pattern gives up on.
LONG=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab
GIVES_UP='(a+)+$'

setup()
{
    set -o pipefail
    mkdir "$BATS_TEST_TMPDIR/there" && cd "$BATS_TEST_TMPDIR/there" # bats leaves files above
    printf 'one\n%s\nthree\n' "$LONG" >a
    printf 'four\nfive\n\377\000%s' "$LONG" >b
}

# write_letters FILE INPUT...: the dead letters of the inputs.
write_letters()
{
    "$PPROC" -v "$GIVES_UP" --dead-letter="$1" "${@:2}" >/dev/null 2>&1 || [[ $? == 1 ]]
    [[ -s $1 ]]
}

# places FILE: where each letter's record comes from, and the record.
places()
{
    jq -c '[.input, .nr, .offset, .record, .encoding]' "$1"
}

@test "the records of all letters are run, as they were read" {
    write_letters letters a b
    run -0 --separate-stderr "$PPROC" --replay letters
    [[ -z $stderr ]]
    "$PPROC" --replay letters | cmp - <(printf '%s\n\377\000%s\n' "$LONG" "$LONG")
    "$PPROC" --replay <letters | cmp - <(printf '%s\n\377\000%s\n' "$LONG" "$LONG")
}

@test "operations see the records, not the lines" {
    write_letters letters a b
    [[ $("$PPROC" --replay -m '^aaa' -s 's/a+/A/' letters) == Ab ]]
    [[ $("$PPROC" --replay -c -m 'a' letters) == 2 ]]
}

@test "records that fail again make letters with their first place" {
    write_letters letters a b
    run -1 --separate-stderr "$PPROC" --replay -v "$GIVES_UP" --dead-letter=again letters
    [[ $stderr == "pproc: 2 records failed, see again" ]]
    diff <(places letters) <(places again)
    [[ $(jq -r '"\(.input):\(.nr)"' again) == $'a:2\nb:3' ]]
    run -1 "$PPROC" --replay -v "$GIVES_UP" --dead-letter=third again
    diff <(places letters) <(places third)
}

@test "messages have the first place too" {
    write_letters letters a b
    run -1 --separate-stderr "$PPROC" --replay -v "$GIVES_UP" letters
    [[ ${stderr_lines[0]} == "pproc: a:2: regex: "* ]]
    [[ ${stderr_lines[1]} == "pproc: b:3: regex: "* ]]
}

@test "compressed letters are read like any input" {
    local tool
    write_letters letters a b
    "$PPROC" --replay letters >expected
    for tool in gzip zstd xz; do
        $tool -c letters >letters.$tool
        "$PPROC" --replay --no-decompress letters.$tool >/dev/null 2>&1 && false
        "$PPROC" --replay letters.$tool | cmp expected -
    done
}

@test "a line that is no dead letter is an error of the input, and the rest runs" {
    write_letters letters a
    { cat letters && echo nonsense && echo '{}' && cat letters; } >mixed
    run -3 --separate-stderr "$PPROC" --replay --stats=json mixed letters
    [[ $output == "$LONG"$'\n'"$LONG"$'\n'"$LONG" ]]
    [[ ${stderr_lines[0]} == "pproc: mixed: line 2 is no dead letter: "* ]]
    [[ ${stderr_lines[1]} == "pproc: mixed: 2 lines in all are no dead letters" ]]
    [[ ${#stderr_lines[@]} == 3 ]]
    [[ $(account read - <<<"$stderr") == 3 ]]
    account_balances - <<<"$stderr"
}

@test "lines are told for each input" {
    echo nonsense >x
    cp x y
    run -3 --separate-stderr "$PPROC" --replay x y a
    [[ ${stderr_lines[0]} == "pproc: x: line 1 is no dead letter: "* ]]
    [[ ${stderr_lines[1]} == "pproc: y: line 1 is no dead letter: "* ]]
    [[ ${stderr_lines[2]} == "pproc: a: line 1 is no dead letter: "* ]]
    [[ ${stderr_lines[3]} == "pproc: a: 3 lines in all are no dead letters" ]]
}

@test "hostile lines are no dead letters, and no harm" {
    {
        printf '[%.0s' {1..100000} && echo
        printf '{"a":%.0s' {1..2040} && echo
        printf '\377\000\n{"record":\n"\n'
        head -c 300000 /dev/zero && echo
    } >hostile
    run -3 --separate-stderr "$PPROC" --replay hostile
    [[ -z $output ]]
    [[ ${stderr_lines[1]} == "pproc: hostile: 6 lines in all are no dead letters" ]]
}

@test "a last line that is torn is told, and the letters before it run" {
    write_letters letters a b
    head -c -20 letters >torn
    run -3 --separate-stderr "$PPROC" --replay torn
    [[ $output == "$LONG" ]]
    [[ $stderr == "pproc: torn: line 2 is no dead letter: "* ]]
    printf '%s' "$(<letters)" >unended # only its newline is missing
    run -0 "$PPROC" --replay -c unended
    [[ $output == 2 ]]
}

@test "an input that is missing is told, and the others run" {
    write_letters letters a
    run -3 --separate-stderr "$PPROC" --replay missing letters
    [[ $output == "$LONG" && $stderr == "pproc: missing: "* ]]
}

@test "records that were mended by hand run" {
    write_letters letters a
    jq -c '.record = "m\u00e9nd\u0000\"\\\n" | .encoding = "utf-8"' letters >mended
    "$PPROC" --replay mended | cmp - <(printf 'm\303\251nd\0"\\\n\n')
    jq '.record = "spread"' letters >pretty # over several lines: that is none
    run -3 "$PPROC" --replay pretty
}

@test "records may hold delimiters and end in one" {
    printf '%s\n' '{"input":"x","nr":1,"record":"a\nb\n"}' '{"input":"x","nr":2,"record":""}' \
        '{"input":"x","nr":3,"record":"\n"}' >letters
    [[ $("$PPROC" --replay -c letters) == 3 ]]
    "$PPROC" --replay letters | cmp - <(printf 'a\nb\n\n\n\n\n')
    "$PPROC" --replay -0 letters | cmp - <(printf 'a\nb\n\0\0\n\0')
    "$PPROC" --replay -s 's/\n/,/g' letters | cmp - <(printf 'a,b,\n\n,\n')
}

@test "a letter of a record that was too long fails again" {
    local status
    { echo ok && head -c 100000 /dev/zero | tr '\0' x && echo; } >long
    "$PPROC" --max-record=80000 --dead-letter=letters long >/dev/null 2>&1 || [[ $? == 1 ]]
    run -1 --separate-stderr "$PPROC" --replay --dead-letter=again letters
    [[ -z $output ]]
    diff <(places letters) <(places again)
    jq -e '.error == "too-long" and .truncated and .nr == 2 and (.record | length == 65536) and
        .attempts == 0' again
    run -1 --separate-stderr "$PPROC" --replay letters
    [[ ${stderr_lines[0]} == "pproc: long:2: too-long: it was too long before"* ]]
}

@test "--max-record holds for the record, not for its line" {
    printf '%s\n' '{"input":"x","nr":1,"record":"\u0001\u0002\u0003\u0004"}' \
        '{"input":"x","nr":2,"record":"AQIDBAU=","encoding":"base64"}' \
        '{"input":"x","nr":3,"record":"12345"}' '{"input":"x","nr":4,"record":"1234"}' >letters
    run -1 --separate-stderr "$PPROC" --replay --max-record=4 letters
    [[ $output == $'\x01\x02\x03\x04\n1234' ]]
    [[ ${stderr_lines[0]} == "pproc: x:2: too-long: a record of 5 bytes, longer than the limit of 4"* ]]
    [[ ${stderr_lines[1]} == "pproc: x:3: too-long: "* ]]
}

@test "a line that no letter can have is too long as a whole" {
    write_letters letters a
    { head -c 3000000 /dev/zero | tr '\0' x && echo && cat letters; } >lines
    run -1 --separate-stderr "$PPROC" --replay --max-record=100 lines
    [[ $output == "$LONG" ]]
    [[ ${stderr_lines[0]} == "pproc: lines:1: too-long: a record of 3000000 bytes"* ]]
}

@test "any number of workers and any memory give the same" {
    local i options
    for i in {1..5000}; do
        printf '%s %s\n' "$i" "$LONG$LONG$LONG"
    done >many
    "$PPROC" --max-record=100 --dead-letter=letters many 2>/dev/null || [[ $? == 1 ]]
    sed -i 's/,"truncated":true//' letters
    for options in -j1 -j4 '-j3 -S 1' '-j2 --queue-size=3'; do
        # shellcheck disable=SC2086
        "$PPROC" $options --replay letters | cmp many -
        # shellcheck disable=SC2086
        "$PPROC" $options -u --replay letters | sort | cmp <(sort many) -
    done
    run -1 "$PPROC" -j4 --replay --max-record=100 --dead-letter=again letters
    diff <(places letters) <(places again)
}

@test "an input that is also the dead-letter file is refused" {
    write_letters letters a
    cp letters before
    run -2 --separate-stderr "$PPROC" --replay --dead-letter=letters letters
    [[ $stderr == "pproc: letters: is an input and also the dead-letter file"* ]]
    cmp before letters
}

@test "letters on a slow pipe are run as they come" {
    write_letters letters a b
    mkfifo pipe
    "$PPROC" --replay <pipe >out 3>&- &
    local pid=$!
    exec 7>pipe
    head -n 1 letters >&7
    eventually grep -q "$LONG" out
    exec 7>&-
    wait "$pid"
}

@test "no memory is told" {
    skip_if_sanitized
    local n status
    write_letters letters a b
    "$PPROC" --replay letters >expected
    for n in {1..300..3}; do
        status=0
        rm -f mark
        LD_PRELOAD=$FAULTS FAULT_MARK=mark FAULT_MALLOC="$n" \
            "$PPROC" -j1 --replay letters >out 2>err || status=$?
        [[ -e mark ]] || break
        [[ $status == [024] ]]
        [[ $status != 0 ]] || cmp expected out
        [[ $status == 0 || -s err ]]
    done
    ((n > 30 && n < 298))
}
