#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# --coproc: a process that lives on answers record by record.

load common

setup()
{
    cd "$BATS_TEST_TMPDIR"
    pid=
}

teardown()
{
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || :
}

# answers_all COMMAND...: it answers each line of `in` with what it gives alone.
answers_all()
{
    "$@" <in >expected
    "$PPROC" --coproc -j3 in -- "$@" >actual 2>err
    cmp expected actual
    # A sanitizer's fork is slow, and holds the pipes of others meanwhile.
    [[ -n $SANITIZER || ! -s err ]]
    "$PPROC" --coproc -j1 in -- "$@" | cmp expected -
    "$PPROC" --coproc -j3 -u in -- "$@" | sort | cmp <(sort expected) -
}

# An answer for each line, at once; $* are the words of awk that come before.
answering()
{
    command=(awk "$* { print \"> \" \$0; fflush() }")
}

@test "a process that answers each line at once" {
    seq 3000 >in
    answers_all sed -u 's/^/> /'
    answers_all python3 -uc 'import sys; [print(">", line, end="") for line in sys.stdin]'
}

@test "a process that buffers its output" {
    seq 3000 >in
    answers_all sed 's/^/> /'
    cat "$SAMPLE" "$SAMPLE" >in
    answers_all sed 's/^/> /'
}

@test "a process that answers only once its input ends" {
    cat "$SAMPLE" "$SAMPLE" "$SAMPLE" >in
    answers_all python3 -c 'import sys; sys.stdout.write(sys.stdin.read())'
}

@test "a process lives on: there is one for each worker" {
    seq 5000 | "$PPROC" --coproc -j3 -- sh -c 'while read -r line; do echo $$; done' >pids
    [[ $(wc -l <pids) == 5000 ]]
    (($(sort -u pids | wc -l) <= 3))
}

@test "--recycle: a fresh process after so many records" {
    seq 100 | "$PPROC" --coproc --recycle=7 -j1 -- sh -c 'while read -r line; do echo $$; done' >pids
    [[ $(uniq -c pids | awk '{ print $1 }' | xargs) == "7 7 7 7 7 7 7 7 7 7 7 7 7 7 2" ]]
    seq 1000 >in
    "$PPROC" --coproc --recycle=30 -j3 in -- sed 's/^/> /' | cmp <(sed 's/^/> /' in) -
}

@test "what a process that dies has not answered is given to others" {
    seq 2500 >in
    answering 'NR == 1000 { exit 9 }'
    "$PPROC" --coproc -j2 in -- "${command[@]}" >actual 2>err
    sed 's/^/> /' in | cmp - actual
    [[ ! -s err ]]
}

@test "a record that kills fails, and takes no other along" {
    seq 2000 >in
    answering '/^(1|700|701|2000)$/ { print "oh" >"/dev/stderr"; exit 9 }'
    run -1 --separate-stderr "$PPROC" --coproc -j2 --dead-letter=letters in -- "${command[@]}"
    sed -E '/^(1|700|701|2000)$/d; s/^/> /' in | diff - <(echo "$output")
    [[ $(jq -c '[.nr, .error, .status, .stderr, .attempts]' letters | head -n 1) == \
        '[1,"exit",9,"oh\n",1]' ]]
    [[ $(jq .nr letters | xargs) == "1 700 701 2000" ]]
}

# The process fails, and what it has printed is no answer, though the input goes on.
part_is_no_answer()
{
    rm -f fifo letters
    mkfifo fifo
    "$PPROC" --coproc --dead-letter=letters <fifo -- \
        sh -c 'read -r line; echo part; exit 7' >out 2>err 3>&- &
    pid=$!
    exec 4>fifo
    echo record >&4
    eventually test -s letters -o -s out
    exec 4>&-
    wait "$pid"
    pid=
    [[ ! -s out ]]
}

@test "what a process prints before it fails at once is no answer" {
    # It may fail so late on a busy machine that it is one.
    eventually part_is_no_answer
    [[ $(jq -c '[.error, .status, .stdout]' letters) == '["exit",7,"part\n"]' ]]
}

@test "a record that fails is tried again, alone" {
    seq 20 >in
    # It works at the second attempt.
    answering '$1 == 13 && ENVIRON["PPROC_ATTEMPT"] == 1 { exit 1 }'
    "$PPROC" --coproc -j2 --retries=1 --backoff=1ms --stats=json in -- "${command[@]}" >actual 2>err
    sed 's/^/> /' in | cmp - actual
    [[ $(account retried err) == 1 ]]
}

# refuses_replies COMMAND...: no reply of it is taken for an answer, and it is said what to do.
refuses_replies()
{
    run -1 --separate-stderr "$PPROC" --coproc -j2 --dead-letter=letters in -- "$@"
    [[ -z $output ]]
    jq -r .error letters | sort -u | diff - <(echo protocol)
    [[ $(jq .nr letters | xargs) == "$(seq -s ' ' "$(wc -l <in)")" ]]
    jq -r .message letters | grep -q -e --batch
    rm letters
}

@test "more replies than records are answers to none" {
    seq 10 >in
    refuses_replies sh -c 'while read -r line; do printf "%s\n%s\n" "$line" "$line"; done'
    seq 2 >in
    refuses_replies sh -c 'echo ready; sleep 0.5; while read -r line; do echo "$line"; done'
    echo 1 >in
    refuses_replies sed p
}

@test "a process that answers without end is ended, and its letter tells what it answers" {
    echo 1 >in
    refuses_replies yes
    run -1 "$PPROC" --coproc --dead-letter=letters in -- yes
    jq -e '.stdout | length > 4000 and test("^(y?\n)(y\n)+(y?)$")' letters
}

@test "fewer replies than records are answers to none, where it cannot be known to which" {
    seq 10 >in
    refuses_replies cat /dev/null
    refuses_replies sh -c 'while read -r line; do :; done'
}

@test "replies that may be to other records, and were taken before that was known, are told" {
    seq 100000 >in
    run -1 --separate-stderr "$PPROC" --coproc in -- sed -u '/^70000$/d'
    [[ $stderr == *"sed: has given fewer replies than it got records"* ]]
    run -1 --separate-stderr "$PPROC" --coproc in -- sed -u '/^70000$/p'
    [[ $stderr == *"sed: has given more replies than it got records"* ]]
}

@test "an answer is there before the next record is" {
    mkfifo fifo
    "$PPROC" --coproc <fifo -- sed -u 's/^/> /' >out 3>&- &
    pid=$!
    exec 4>fifo
    for i in 1 2 3; do
        echo "$i" >&4
        eventually grep -qx "> $i" out
    done
    exec 4>&-
    wait "$pid"
    pid=
}

@test "a process that reads on and answers nothing is named" {
    mkfifo fifo
    "$PPROC" --coproc <fifo -- sed 's/^/> /' >out 2>err 3>&- &
    pid=$!
    exec 4>fifo
    echo 1 >&4
    eventually test -s err
    [[ $(<err) == "pproc: sed: has read its records and answered nothing for 10 s: it may buffer"* ]]
    [[ ! -s out ]]
    exec 4>&-
    wait "$pid"
    pid=
    [[ $(<out) == "> 1" ]]
    [[ $(wc -l <err) == 1 ]]
}

@test "--timeout runs from the later of: record sent, reply" {
    printf '0\n0.4\n0.4\n0.4\n600\n0.4\n0\n' >in
    run -1 --separate-stderr "$PPROC" --coproc -j1 --timeout=3 --kill-after=1ms in -- \
        sh -c 'while read -r n; do sleep "$n"; echo "$n"; done'
    [[ $output == $'0\n0.4\n0.4\n0.4\n0.4\n0' ]]
    [[ ${stderr_lines[0]} == "pproc: in:5: timeout: "* ]]
}

@test "a process that does not end well after its last answer is told" {
    seq 3 >in
    run -1 --separate-stderr "$PPROC" --coproc -j1 in -- sh -c 'cat; exit 3'
    [[ $stderr == *"exit status 3"* ]]
    "$PPROC" --coproc -j1 --ok-exit=0,3 in -- sh -c 'cat; exit 3' | cmp in -
}

@test "it gets what the operations leave, and that ends in a delimiter" {
    printf 'a1\nb2\na3' | "$PPROC" --coproc -j1 -m a -s 's/a/c/' -- sed -u 's/$/;/' >actual
    [[ $(<actual) == $'c1;\nc3;' ]]
    printf 'a1\nb2\nb3' | "$PPROC" --coproc -j1 -s 's/b3//' -- sed -u 's/$/;/' >actual
    [[ $(<actual) == $'a1;\nb2;\n;' ]]
    seq 100 | "$PPROC" --coproc -m nothing -- false >actual
    [[ ! -s actual ]]
}

@test "records that end in something else than a newline" {
    printf 'a\n1\0b\0' | "$PPROC" --coproc -0 -- sed -zu 's/$/;/' | cmp - <(printf 'a\n1;\0b;\0')
    printf 'a;b;' | "$PPROC" --coproc -d ';' -- tr a-z A-Z | cmp - <(printf 'A;B;')
}

@test "a record that holds the delimiter fails, and only it" {
    run -1 --separate-stderr "$PPROC" --coproc --args --dead-letter=letters a $'b\nc' d -- \
        sed -u 's/^/> /'
    [[ $output == $'> a\n> d' ]]
    [[ $(jq -c '[.nr, .record, .error]' letters) == '[2,"b\nc","protocol"]' ]]
    jq -r .message letters | grep -q 'holds the delimiter'
}

@test "a header is neither sent nor emitted" {
    printf 'name\na\nb\n' | "$PPROC" --coproc --header -- sed -u 's/^/> /' >actual
    [[ $(<actual) == $'> a\n> b' ]]
}

@test "what a process knows of its first record" {
    seq 3 >in
    "$PPROC" --coproc -j1 -m 2 in -- sh -c '
        while read -r line; do
            echo "$line $PPROC_SEQ $PPROC_NR $PPROC_FILE $PPROC_SLOT $PPROC_ATTEMPT $1"
        done' sh '{#}{%}{}' >actual
    [[ $(<actual) == '2 2 2 in 1 1 21{}' ]]
}

@test "--tag tells where answers come from" {
    printf 'a\nb\n' >first
    printf c >second
    "$PPROC" --coproc --tag='{file} ' first second -- sed -u 's/^/> /' >actual
    [[ $(<actual) == $'first > a\nfirst > b\nsecond > c' ]]
    # Each record has its own, whether it is answered at once or later, or by another process.
    run -0 "$PPROC" --coproc --tag='{#}:{nr}:{}=' -s 's/$/x/' first second -- sed 's/^/> /'
    [[ $output == $'1:1:ax=> ax\n2:2:bx=> bx\n3:1:cx=> cx' ]]
    run -1 --separate-stderr "$PPROC" --coproc --tag <(seq 5) -- \
        sh -c 'while read -r l; do [ $l != 3 ] || exit 3; echo "> $l"; done'
    [[ $output == $'1\t> 1\n2\t> 2\n4\t> 4\n5\t> 5' ]]
    seq 20000 >in
    "$PPROC" --coproc -j3 --tag='{nr}:{}=' -m 7 -s 's/1/x/' in -- sed 's/^/> /' |
        cmp <(awk '/7/ { nr = NR; sub(/1/, "x"); print nr ":" $0 "=> " $0 }' in) -
    run -1 --separate-stderr "$PPROC" --coproc --keep-failed --tag <(seq 2) -- \
        sh -c 'read -r line; printf "%s\nmore\n" "$line"; exit 3'
    [[ $output == $'1\t1\n1\tmore\n2\t2\n2\tmore' ]]
    # A column that cannot be found fails its record.
    printf 'a,b\n%s\nc,d\n' "$(printf '%040d' 0 | tr 0 a)b" >in
    run -1 --separate-stderr "$PPROC" --coproc -C '(a+)+$|,' --tag='{2} ' in -- sed -u 's/^/> /'
    [[ $output == $'b > a,b\nd > c,d' ]]
    [[ $stderr == *'in:2: regex: '* ]]
}

@test "the joblog has a line for each task, which tell of all records" {
    seq 500 >in
    "$PPROC" --coproc -j2 --joblog=log in -- sed -u 's/^/> /' >actual
    [[ $(awk -F '\t' 'NR > 1 { sum += $NF; sent += $5; got += $6 } END { print sum, sent, got }' log) == \
        "500 $(wc -c <in) $(wc -c <actual)" ]]
}

@test "--dry-run prints the command" {
    run -0 --separate-stderr "$PPROC" --coproc --dry-run -- sed 's/a b/c/' <<<x
    [[ $output == "sed 's/a b/c/'"* ]]
}

@test "the mode, and what makes no sense with it" {
    run -0 "$PPROC" --explain --coproc --recycle=5 -- sed -u p
    [[ $output == *"mode: coproc (--coproc)"* && $output == *"recycle: after 5 records"* ]]
    for option in --batch --each -n2 --binary --no-split -L2 --record-start=x; do
        run -2 "$PPROC" --coproc "$option" -- cat
        [[ $output == *"--coproc and --"*" cannot be together: "* ]]
    done
    run -2 "$PPROC" --recycle=5 -- cat
    [[ $output == *"--recycle needs --coproc"* ]]
    run -2 "$PPROC" --coproc --recycle=0 -- cat
    [[ $output == *"--recycle"*"a number of records, at least 1"* ]]
    run -2 "$PPROC" --coproc --batch-lines=5 -- cat
    [[ $output == *"--batch-lines needs a COMMAND that is a filter"* ]]
    run -2 "$PPROC" --coproc
    [[ $output == *"--coproc needs a COMMAND"* ]]
}
