#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --dead-letter: where records that fail go, whatever happens.

# shellcheck disable=SC2002,SC2016,SC2094,SC2154,SC2164
load common

# A record that a pattern gives up on, with a few bytes before it.
LONG=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab
GIVES_UP='(a+)+$'

setup()
{
    set -o pipefail
    mkdir "$BATS_TEST_TMPDIR/there" && cd "$BATS_TEST_TMPDIR/there" # bats leaves files above
    printf 'one\n%s\nthree\nfar too long %s\nfive\n' "$LONG" "$LONG$LONG" >in
}

# fails OPTION...: some records of `in` fail, the rest comes out; standard error is in `err`.
fails()
{
    local status=0
    "$PPROC" -j2 -v "$GIVES_UP" --max-record=80 "$@" >out 2>err || status=$?
    [[ $status == 1 ]]
}

# refused STATUS TEXT OPTION...: nothing is read, and the message has the text.
refused()
{
    run "-$1" --separate-stderr "$PPROC" "${@:3}" <in
    [[ -z $output ]]
    [[ $stderr == "pproc: "*"$2"* ]]
}

@test "a record that fails goes to the file, with all that is known, and the rest goes on" {
    fails --dead-letter=letters in
    diff <(printf 'one\nthree\nfive\n') out
    jq -e --arg record "$LONG" '.input == "in" and .nr == 2 and .offset == 4 and
        .record == $record and .encoding == "utf-8" and .error == "regex" and
        .status == null and .signal == null and (.message | test("--exclude")) and
        .stdout == "" and .stderr == "" and .attempts == 1 and .seconds > 0 and .priority == 0 and
        has("truncated") == false' <(sed -n 1p letters)
    jq -e '.nr == 4 and .offset == 51 and .error == "too-long" and (.record | length == 93) and
        .attempts == 0 and .truncated == true' <(sed -n 2p letters)
    [[ $(wc -l <letters) == 2 ]]
}

@test "the keys stand in the order of the manual" {
    fails --dead-letter=letters in
    [[ $(jq -r 'keys_unsorted | join(" ")' letters | head -n 1) == \
        "input nr offset record encoding error status signal message stdout stderr attempts seconds priority time" ]]
}

@test "the time is that of the failure, in UTC" {
    local before after time
    before=$(date -u +%FT%T)
    TZ=Pacific/Auckland fails --dead-letter=letters in
    after=$(date -u +%FT%T)
    time=$(head -n 1 letters | jq -r .time)
    [[ $time =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$ ]]
    [[ ! ${time%.*} < $before && ! ${time%.*} > $after ]]
}

@test "with the file there is one line on standard error, which names it" {
    fails --dead-letter=letters in
    [[ $(<err) == "pproc: 2 records failed, see letters" ]]
}

@test "without it the first ten failures are told, the rest is counted" {
    seq 100001 100023 >in
    run -1 --separate-stderr "$PPROC" --max-record=3 in
    [[ $(grep -c '^pproc: in:[0-9]*: too-long: ' <<<"$stderr") == 10 ]]
    [[ ${stderr_lines[9]} == "pproc: in:10: "* ]]
    [[ ${stderr_lines[10]} == "pproc: 23 records failed" ]]
    [[ ${#stderr_lines[@]} == 11 ]]
}

@test "where nothing fails the file is empty, and nothing is said" {
    run -0 "$PPROC" --dead-letter=letters in
    [[ $output == "$(<in)" && -e letters && ! -s letters ]]
}

@test "raw is the records alone, ready to be fed again" {
    fails --dead-letter=letters --dead-letter-format=raw in
    diff <(sed -n '2p;4p' in) letters
    fails --dead-letter=nul -0 --dead-letter-format=raw <(tr '\n' '\0' <in)
    diff <(sed -n '2p;4p' in | tr '\n' '\0') nul
}

@test "a record of which only the head is there is told, where raw cannot say so" {
    { echo one && head -c 100000 /dev/zero && echo; } >in
    fails --dead-letter=letters --dead-letter-format=raw in
    [[ ! -s letters ]]
    [[ $(head -n 1 err) == "pproc: in:2: too-long: "* ]]
    [[ $(tail -n 1 err) == "pproc: 1 record failed, see letters" ]]
    fails --dead-letter=letters in
    jq -e '.truncated and (.record | length == 65536)' letters
}

@test "bytes that are no UTF-8 are kept in base64, NUL among them" {
    printf 'x\n\377\000\r%s\n' "$LONG" >in
    fails --dead-letter=letters in
    [[ $(jq -r .encoding letters) == base64 ]]
    jq -rj .record letters | base64 -d | cmp - <(printf '\377\000\r%s' "$LONG")
}

@test "a name of an input is valid JSON whatever it is" {
    cp in $'name\n"\377'
    fails --dead-letter=letters $'name\n"\377'
    jq -e '.input == "name\n\"\ufffd"' letters
}

@test "letters are in input order, with any number of workers, and with -u too" {
    local i
    for i in {1..3000}; do
        printf '%s\n' "$i" $((i + 1000000))
    done >in
    "$PPROC" -j1 -S 1 --max-record=6 --dead-letter=one in >out 2>/dev/null || [[ $? == 1 ]]
    [[ $(wc -l <one) == 3000 ]]
    jq .nr one | sort -nc
    "$PPROC" -j4 --max-record=6 --dead-letter=four in >actual 2>/dev/null || [[ $? == 1 ]]
    cmp out actual
    cmp <(jq -c 'del(.seconds, .time)' one) <(jq -c 'del(.seconds, .time)' four)
    "$PPROC" -j4 -u --max-record=6 --dead-letter=unordered in >out 2>/dev/null || [[ $? == 1 ]]
    cmp <(jq -c 'del(.seconds, .time)' one) <(jq -c 'del(.seconds, .time)' unordered)
}

@test "a missing file is made for its owner alone" {
    umask 0
    fails --dead-letter=letters in
    [[ $(stat -c %a letters) == 600 ]]
}

@test "an existing file is appended to, through links, and keeps its mode" {
    echo '{"old":1}' >letters
    chmod 644 letters
    ln -s letters link
    ln -s "$PWD/link" again
    fails --dead-letter=again in
    [[ $(stat -c %a letters) == 644 && -L again && -L link ]]
    [[ $(wc -l <letters) == 3 && $(head -n 1 letters) == '{"old":1}' ]]
}

@test "a last line that is torn gets its newline first" {
    printf '{"torn":' >letters
    fails --dead-letter=letters in
    [[ $(head -n 1 letters) == '{"torn":' && $(wc -l <letters) == 3 ]]
    sed -n 2p letters | jq -e '.nr == 2'
}

@test "a link to nothing is refused, and nothing is made" {
    ln -s nothing link
    refused 4 "link: dead letters cannot be written there: it is a link to a file that does not exist" \
        --dead-letter=link
    [[ ! -e nothing ]]
}

@test "a file that cannot be opened is told before anything is read" {
    mkdir directory
    refused 4 "directory: dead letters cannot be written there: " --dead-letter=directory
    refused 4 "missing/letters: dead letters cannot be written there: " --dead-letter=missing/letters
    mkfifo pipe # which nobody will ever write to
    run -4 timeout 30 "$PPROC" --dead-letter=directory pipe
    [[ -z $(ls -A directory) ]]
}

@test "an output file is not touched when the dead letters cannot be opened" {
    echo old >result
    refused 4 "missing/letters" --dead-letter=missing/letters -o result
    [[ $(<result) == old && $(ls) == $'in\nresult' ]]
}

@test "an input that is also the dead-letter file is refused" {
    ln in hard
    ln -s in soft
    local name
    for name in in ./in hard soft; do
        refused 2 "in: is an input and also the dead-letter file" --dead-letter=$name in
    done
    refused 2 "-: is an input and also the dead-letter file" --dead-letter=in
    [[ $(wc -l <in) == 5 ]]
}

@test "two outputs that are one file are refused, whether it exists or not" {
    refused 2 "letters: is the output and also the dead-letter file" --dead-letter=letters -o letters
    refused 2 "letters: is the output and also the dead-letter file" \
        --dead-letter=letters -o "$PWD/letters"
    ln -s letters link
    refused 2 "letters: is the output and also the dead-letter file" --dead-letter=letters -o link
    [[ ! -e letters ]]
    touch letters
    refused 2 "letters: is the output and also the dead-letter file" --dead-letter=letters -o link
    local status=0
    "$PPROC" --dead-letter=letters >letters 2>err || status=$?
    [[ $status == 2 && ! -s letters ]]
}

@test "two outputs that are one device are not" {
    fails --dead-letter=/dev/null -o /dev/null in
}

@test "values that make no sense are usage errors" {
    refused 2 "--dead-letter-format" --dead-letter=x --dead-letter-format=xml
    refused 2 "--dead-letter-format has nothing to do" --dead-letter-format=raw
    refused 2 "begins with '-'" --dead-letter -m x
    refused 2 "begins with '-'" --dead-letter=-
    refused 2 "--dead-letter" --dead-letter=
    [[ $(ls) == in ]]
}

@test "a full disk ends the run with 4 at once" {
    mkfifo pipe
    exec 7<>pipe # it stays open
    cat in >&7
    run -4 --separate-stderr timeout 60 "$PPROC" -v "$GIVES_UP" --dead-letter=/dev/full <pipe
    exec 7>&-
    [[ $stderr == *"pproc: /dev/full: dead letters cannot be written: No space left on device"* ]]
    [[ $stderr == *":2: regex: "* ]] # it is told all the same
    [[ $stderr == *" failed" ]]       # and nobody is sent to look there
}

# The faults disturb the calls of the process; a sanitizer's runtime makes its own.
faulty()
{
    skip_if_sanitized
    rm -f mark letters
    LD_PRELOAD=$FAULTS FAULT_MARK=mark timeout 60 env "$@"
}

@test "a disk that fills up within a letter ends the run with 4" {
    local status bytes
    fails --dead-letter=whole in
    for bytes in 0 1 100 "$(head -n 1 whole | wc -c)"; do
        status=0
        rm -f out
        faulty FAULT_APPEND=ENOSPC:"$bytes" "$PPROC" -v "$GIVES_UP" --max-record=80 \
            --dead-letter=letters -o out in 2>err || status=$?
        [[ $status == 4 && -e mark ]]
        [[ $(stat -c %s letters) -le $bytes ]]
        grep -q '^pproc: letters: dead letters cannot be written: No space left on device$' err
        [[ ! -e out ]]
    done
}

@test "letters are whole where writes are short and interrupted" {
    local status=0
    fails --dead-letter=whole in
    faulty FAULT_BYTES=7 FAULT_EINTR=3 "$PPROC" -v "$GIVES_UP" --max-record=80 \
        --dead-letter=letters in >out 2>err || status=$?
    [[ $status == 1 && -e mark ]]
    cmp <(jq -c 'del(.seconds, .time)' whole) <(jq -c 'del(.seconds, .time)' letters)
}

@test "no memory for a letter is no letter lost in silence" {
    local n status
    for n in {1..400..3}; do
        status=0
        faulty FAULT_MALLOC="$n" "$PPROC" -j1 -v "$GIVES_UP" --max-record=80 \
            --dead-letter=letters in >out 2>err || status=$?
        [[ -e mark ]] || break
        [[ $status == [124] ]]
        if [[ $status == 1 ]]; then
            [[ $(jq -c .nr letters) == $'2\n4' ]]
        fi
    done
    [[ $n -gt 40 ]]
}

@test "at a signal the letters of what was written are on disk" {
    mkfifo pipe
    env --default-signal=TERM "$PPROC" -j2 --max-record=80 --dead-letter=letters \
        <pipe >out 2>err 3>&- &
    local pid=$! status=0
    exec 7>pipe
    cat in >&7
    eventually grep -q five out
    kill "$pid"
    wait "$pid" || status=$?
    exec 7>&-
    [[ $status == 143 ]]
    [[ $(jq .nr letters) == 4 ]]
    grep -qx 'pproc: 1 record failed, see letters' err
}

@test "several runs can share a file" {
    local i pids=()
    for i in {1..500}; do
        echo "a record that is too long, number $i"
    done >in
    for i in {1..4}; do
        "$PPROC" --max-record=8 --dead-letter=letters in 2>/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || [[ $? == 1 ]]
    done
    [[ $(jq -s length letters) == 2000 ]]
}

@test "--explain tells where letters would go, and opens nothing" {
    run -0 "$PPROC" --explain --replay --dead-letter=letters --dead-letter-format=raw
    grep -qx 'replay: inputs are dead letters' <<<"$output"
    grep -qx 'dead-letter: letters' <<<"$output"
    grep -qx 'dead-letter-format: raw' <<<"$output"
    [[ ! -e letters ]]
}

@test "a letter tells where its record begins, whatever a record is" {
    local i options
    for i in {1..150}; do
        echo "r $i"
        ((i % 7)) || echo "$LONG$LONG$LONG"
        ((i % 11)) || echo "> $i $LONG$LONG$LONG"
    done >in
    gzip -k in
    for options in '' '-L 3' '--record-start=^>' '--header=3 -L 2' '-u -j3 -S 1' '--queue-size=2'; do
        for i in in in.gz; do
            rm -f letters
            # shellcheck disable=SC2086
            "$PPROC" --max-record=100 $options --dead-letter=letters $i >out 2>err || [[ $? == 1 ]]
            python3 - <<'END'
import json
data, last = open("in").read(), 0
for letter in map(json.loads, open("letters")):
    assert data[letter["offset"]:].startswith(letter["record"]), letter
    assert letter["nr"] > last, letter
    last = letter["nr"]
assert last > 10
END
        done
    done
}

@test "a command that fails makes letters with its status, its signal and what it printed last" {
    printf '%s\n' 'echo out; echo err >&2; exit 3' 'kill -9 $$' 'echo fine' >in
    fails --dead-letter=letters in -- sh -c {}
    [[ $(<out) == fine ]]
    jq -se '.[0].error == "exit" and .[0].status == 3 and .[0].signal == null and
        .[0].stdout == "out\n" and .[0].stderr == "err\n" and .[0].attempts == 1 and
        .[1].error == "signal" and .[1].status == null and .[1].signal == 9 and
        .[1].record == "kill -9 $$" and .[1].nr == 2' letters
}

@test "a signal is told by its name, or by its number if it has none" {
    printf '%s\n' 'kill -9 $$' 'kill -34 $$' >in
    fails --dead-letter=letters in -- sh -c {}
    [[ $(jq -r .message letters) == $'died of SIGKILL\ndied of signal 34' ]]
}

@test "of what a command printed the last 4 KiB are kept, whatever they are" {
    printf '%s\n' 'head -c 100000 /dev/zero | tr "\0" "\377"; printf "the end"; exit 1' >in
    fails --dead-letter=letters in -- sh -c {}
    jq -e '(.stdout | length) == 4096 and (.stdout | test("^\ufffd+the end$"))' letters
}

@test "replayed records have their first place in placeholders and the environment" {
    printf 'good\nbad\n' >in
    fails --dead-letter=letters in -- test {} = good
    run -0 "$PPROC" --replay letters -- echo '{file}' '{nr}' '{#}' '{}'
    [[ $output == "in 2 1 bad" ]]
    run -0 "$PPROC" --replay letters -- sh -c 'echo $PPROC_FILE $PPROC_NR $PPROC_SEQ "$1"' sh {}
    [[ $output == "in 2 1 bad" ]]
}
