#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What the system may do to a filter: short and interrupted calls, full disks, broken inputs, no
# memory, no threads. The output is complete, or the exit status and a message say that it is not.

# shellcheck disable=SC2002,SC2016,SC2164
load common

setup()
{
    set -o pipefail
    cd "$BATS_TEST_TMPDIR"
    head -n 500 "$SAMPLE" >in
    grep GET in >expected
}

# faulty FAULT=VALUE... COMMAND...: run the program with faults injected; a hang fails.
# The file `mark` tells that there was one.
faulty()
{
    rm -f mark
    timeout 60 env LD_PRELOAD="$FAULTS" FAULT_MARK=mark "$@"
}

# The faults disturb the calls of the process; a sanitizer's runtime makes its own.
need_faults()
{
    skip_if_sanitized
    [[ -e $FAULTS ]]
}

# complete FAULT=VALUE...: the output is whole, whatever the input.
complete()
{
    gzip -c in >in.gz
    faulty "$@" "$PPROC" -j2 -m GET <in >actual
    [[ -e mark ]]
    cmp expected actual
    faulty "$@" "$PPROC" -j2 -u -m GET in >actual
    [[ -e mark ]]
    sort actual | cmp <(sort expected) -
    faulty "$@" "$PPROC" -j2 -m GET in.gz | cat >actual
    [[ -e mark ]]
    cmp expected actual
    cat in | faulty "$@" "$PPROC" -j2 >actual
    [[ -e mark ]]
    cmp in actual
}

# fails_with STATUS TEXT COMMAND...: that exit status, and one message, which has the text
fails_with()
{
    local status=0
    "${@:3}" 2>err || status=$?
    [[ $status == "$1" ]]
    [[ $(grep -c '^pproc: ' err) == 1 ]]
    [[ $(wc -l <err) == 1 ]]
    grep -qF -- "$2" err
}

@test "reads and writes of one byte change nothing" {
    need_faults
    complete FAULT_BYTES=1
}

@test "short reads and writes change nothing" {
    need_faults
    cat "$SAMPLE" >in
    grep GET in >expected
    complete FAULT_BYTES=4099
}

@test "interrupted calls change nothing" {
    need_faults
    # Not every second one: one of poll and read, in turn, would be the same each time.
    complete FAULT_EINTR=3 FAULT_BYTES=1000
    complete FAULT_EINTR=5
    complete FAULT_EINTR=7 FAULT_BYTES=1
}

@test "standard input and output that are not ready change nothing" {
    need_faults
    complete FAULT_EAGAIN=2 FAULT_BYTES=1000
    faulty FAULT_EAGAIN=3 FAULT_EINTR=5 FAULT_BYTES=100 "$PPROC" <in >actual
    [[ -e mark ]]
    cmp in actual
}

@test "messages are whole too" {
    need_faults
    "$PPROC" no-such-file 2>expected || true
    faulty FAULT_BYTES=1 FAULT_EINTR=3 "$PPROC" no-such-file 2>actual || true
    [[ -e mark && -s expected ]]
    cmp expected actual
}

@test "a disk that fills up at any point is told and ends the run with 4" {
    need_faults
    local n
    for n in 0 1 100 40000; do
        fails_with 4 "No space left on device" \
            faulty FAULT_WRITE=ENOSPC:$n "$PPROC" -j2 in >actual
        cmp <(head -c "$n" in) actual
        fails_with 4 "No space left on device" faulty FAULT_WRITE=ENOSPC:$n "$PPROC" -u in >actual
        [[ $(wc -c <actual) == "$n" ]]
    done
}

@test "an output that breaks is told and ends the run with 4" {
    need_faults
    fails_with 4 "Input/output error" faulty FAULT_WRITE=EIO:5000 "$PPROC" -m GET in >actual
    cmp <(head -c 5000 expected) actual
}

@test "an output that fails when it is closed is told and ends the run with 4" {
    need_faults
    fails_with 4 "Input/output error" faulty FAULT_CLOSE=EIO "$PPROC" in >actual
}

@test "an input that breaks is told with its name, and what was whole is processed" {
    need_faults
    local whole
    whole=$(head -n 200 in | wc -c)
    head -n 200 in >expected
    fails_with 3 "pproc: -: " faulty FAULT_READ=EIO:$((whole + 10)) "$PPROC" -j2 <in >actual
    cmp expected actual
    grep -qF "Input/output error" err
    fails_with 3 "pproc: in: " faulty FAULT_READ=EIO:$((whole + 10)) "$PPROC" -j2 in >actual
    cmp expected actual
    cat in | fails_with 3 "pproc: -: " faulty FAULT_READ=EIO:$((whole + 10)) "$PPROC" -u >actual
    sort actual | cmp <(sort expected) -
}

@test "an input that breaks at once is told, and the others go on" {
    need_faults
    fails_with 3 "pproc: in: " faulty FAULT_READ=EIO:0 "$PPROC" in >actual
    [[ ! -s actual ]]
    mkfifo pipe
    cat in >pipe 3>&- &
    fails_with 3 "pproc: in: " faulty FAULT_READ=EIO:0 "$PPROC" in pipe >actual
    cmp in actual
}

# Results behind a slow record have to wait on disk when memory is small: at least where there are
# two processors.
behind_a_slow_record()
{
    { echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab && cat "$SAMPLE" "$SAMPLE" "$SAMPLE"; } >in
    cat "$SAMPLE" "$SAMPLE" "$SAMPLE" >expected
    faulty PPROC_DRIVE=threaded "$@" "$PPROC" -j2 -S 1 -v '(a+)+$|^aaa' in
}

@test "a full disk for results that have to wait is told and ends the run with 4" {
    need_faults
    local status=0 size
    behind_a_slow_record FAULT_SPILL=ENOSPC:5000 >actual 2>err || status=$?
    [[ -e mark ]] || skip "no result had to wait"
    [[ $status == 4 ]]
    grep -q '^pproc: .*No space left on device' err
    size=$(wc -c <actual)
    cmp <(head -c "$size" expected) actual
}

@test "a directory for them that went away is told and ends the run with 4" {
    mkdir gone
    fails_with 4 'pproc: gone: results that have to wait cannot be stored: No such file' \
        timeout 60 "$PPROC" -S1 -T gone -- sh -c 'rmdir gone; head -c 20M /dev/zero' <<<x >actual
    [[ ! -s actual ]]
}

@test "short and interrupted writes of results that have to wait change nothing" {
    need_faults
    local status=0
    behind_a_slow_record FAULT_BYTES=1000 FAULT_EINTR=3 >actual 2>err || status=$?
    [[ -e mark && $status == 1 ]]
    cmp expected actual
}

@test "where files have to have a name, none of it remains" {
    need_faults
    local fault=FAULT_TMPFILE=1
    mkdir there
    echo old >there/out
    chmod 604 there/out
    faulty $fault "$PPROC" -m GET -o there/out in
    [[ -e mark ]]
    cmp expected there/out
    [[ $(stat -c %a there/out) == 604 ]]

    fails_with 4 'cannot be written' faulty $fault bash -c 'ulimit -f 1 && exec "$@"' - \
        "$PPROC" -o there/out in
    [[ -e mark ]]
    cmp expected there/out
    [[ $(ls -A there) == out ]]

    behind_a_slow_record $fault TMPDIR="$PWD/there" >actual 2>err || true
    cmp expected actual
    [[ $(ls -A there) == out ]]
}

# no_memory COMMAND...: fails each allocation in turn, and then each with all that follow. A run is
# complete, or says that it is not.
no_memory()
{
    local n more status
    for more in "" +; do
        for ((n = 1; ; n++)); do
            status=0
            faulty "FAULT_MALLOC=$n$more" "$@" <in >actual 2>err || status=$?
            if [[ ! -e mark ]]; then
                break
            fi
            case $status in
            0) cmp expected actual ;;
            [1-4] | 126) grep -q '^pproc: ' err ;;
            *)
                echo "allocation $n$more: status $status"
                cat err
                return 1
                ;;
            esac
        done
        [[ $n -gt 5 && $status == 0 ]]
        cmp expected actual
    done
}

@test "a read error within compressed data: what was decoded before it is written, 3" {
    need_faults
    for format in bzip2 gzip lz4 lzip xz zstd; do
        options=()
        [[ $format != lz4 ]] || options=(-B4)
        [[ $format != xz ]] || options=(-T2 --block-size=200KiB)
        cat "$SAMPLE" "$SAMPLE" "$SAMPLE" | "$format" "${options[@]}" -qc >compressed # of several blocks
        size=$(($(stat -c %s compressed) * 2 / 3))
        # As of a file that is cut there.
        head -c "$size" compressed | "$PPROC" >expected 2>told || :
        fails_with 3 "cannot be read at byte $size: Input/output error" \
            faulty "FAULT_READ=EIO:$size" "$PPROC" -j2 compressed >actual
        [[ -s expected ]]
        cmp expected actual
    done
}

@test "no memory, at any point: complete, or it is told" {
    need_faults
    head -n 20 in >few && mv few in
    grep GET in >expected
    no_memory "$PPROC" -j2 -m GET
}

@test "no memory, at any point, with several blocks" {
    need_faults
    head -n 100 in >few && mv few in
    cp in expected
    no_memory "$PPROC" -j2 -S 1
}

@test "no memory, at any point, while a gzipped input is read" {
    need_faults
    head -n 20 in | gzip -c >in.gz
    head -n 20 in | grep GET >expected
    no_memory "$PPROC" -j2 -m GET in.gz
}

@test "no memory, at any point, while records are changed" {
    need_faults
    head -n 20 in >few && mv few in
    sed -nE 's/^([0-9]+).*GET.*/GET 1/p' in >expected
    no_memory "$PPROC" -j2 -m '(GET)' -s 's/^\d+/1/' -s 's/ .*//' -p '$1 $0' -s 's/0$/1/' \
        -s 's/^(GET) GET$/$1 1/'
}

@test "no memory, at any point, while a COMMAND runs" {
    need_faults
    head -n 3 in >few && mv few in
    cp in expected
    local actor=$builddir/tests/helper/actor
    no_memory "$PPROC" -j1 -- "$actor" 'line={}'
    no_memory "$PPROC" -j1 --coproc -- "$actor" lines
}

@test "no memory, at any point, while any other compressed input is read" {
    need_faults
    head -n 20 in >few && mv few in
    grep GET in >expected
    for format in bzip2 lz4 lzip xz zstd; do
        "$format" -qc <in >compressed
        no_memory "$PPROC" -j2 -m GET compressed
    done
}

@test "no memory for the message of a record that fails: it is told" {
    need_faults
    printf '%s\n' a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab >in
    local n status
    for ((n = 1; ; n++)); do
        status=0
        faulty FAULT_MALLOC=$n "$PPROC" -m '(a+)+$' <in >actual 2>err || status=$?
        [[ -e mark ]] || break
        [[ $status == [124] ]]
        grep -q '^pproc: ' err
    done
    [[ $status == 1 ]]
    echo a | cmp - actual
}

@test "a thread that cannot be started leaves fewer workers, or it is told" {
    need_faults
    cat "$SAMPLE" "$SAMPLE" "$SAMPLE" >in
    local command n status
    for command in '' '-- cat'; do
        for ((n = 1; ; n++)); do
            status=0
            # shellcheck disable=SC2086
            faulty FAULT_THREAD=$n "$PPROC" -j4 - $command <in >actual 2>err || status=$?
            [[ -e mark ]] || break
            [[ $(grep -c '^pproc: ' err) == 1 ]]
            [[ $status == 4 ]] || { [[ $status == 0 ]] && cmp in actual; }
        done
        [[ $n -gt 1 && $status == 0 ]]
        cmp in actual
    done
}

@test "without a single thread the run ends with 4" {
    need_faults
    fails_with 4 "be started: Resource temporarily unavailable" \
        faulty FAULT_THREAD=1+ "$PPROC" -j4 in >actual
    [[ ! -s actual ]]
}

@test "processes that cannot be started now and then: fewer at a time, nothing lost" {
    need_faults
    seq 300 >numbers
    local fault
    for fault in FAULT_CLONE=2 FAULT_CLONE=7 FAULT_PIPE=7 FAULT_PIPE=10; do
        faulty $fault "$PPROC" -j8 numbers -- "$builddir/tests/helper/actor" "line={}" >actual 2>err
        [[ -e mark ]]
        cmp numbers actual
        [[ $(grep -c '^pproc: not all processes can run at the same time: ' err) == 1 ]]
        [[ $(wc -l <err) == 1 ]]
        faulty $fault "$PPROC" -j8 -u --batch-lines=10 numbers -- cat 2>err | sort -n >actual
        [[ -e mark ]]
        cmp numbers actual
        [[ $(wc -l <err) == 1 ]]
        faulty $fault "$PPROC" -j3 --coproc --recycle=20 numbers -- cat >actual 2>err
        [[ -e mark ]]
        cmp numbers actual
        [[ $(wc -l <err) == 1 ]]
    done
}

@test "what cannot be started for 30 s, while nothing runs, fails as spawn" {
    need_faults
    printf 'a\nb\n' >few
    local mode
    for mode in --each --batch --coproc; do
        rm -f letters
        run -1 --separate-stderr faulty FAULT_CLONE=1 FAULT_LEAP=10 "$PPROC" \
            $mode --dead-letter=letters few -- cat
        [[ -e mark && -z $output ]]
        [[ ${stderr_lines[0]} == 'pproc: not all processes can run at the same time: '* ]]
        [[ ${stderr_lines[1]} == 'pproc: 2 records failed, see letters' ]]
        jq -r '[.record, .error, .message] | join(" ")' letters | cmp - <(
            printf '%s spawn COMMAND cannot be started: Resource temporarily unavailable\n' a b
        )
    done
}

# For COMMAND: no process goes on before it is told that there are too few of them. So however quick
# they are, more are wanted at a time than there can be.
hold='until grep -q "not all processes" err; do sleep 0.01; done; exec "$@"'

@test "a hundred workers with few descriptors: fewer at a time, nothing lost" {
    seq 300 >numbers
    (ulimit -n 40 && exec timeout 60 "$PPROC" -j100 numbers -- sh -c "$hold" - echo {}) \
        >actual 2>err
    cmp numbers actual
    [[ $(grep -c '^pproc: not all processes can run at the same time: .*open files' err) == 1 ]]
}

@test "processes that live on give their places up to others" {
    need_faults
    seq 300 >numbers
    sed 's/^/> /' numbers >expected
    local flag
    for flag in -u -s; do # one answers at once, one when its input ends
        faulty FAULT_CHILDREN=2 "$PPROC" -j4 --coproc numbers -- \
            sh -c "$hold" - sed $flag 's/^/> /' >actual 2>err
        cmp expected actual
        [[ $(<err) == "pproc: not all processes can run at the same time: "* ]]
        [[ $(wc -l <err) == 1 ]]
    done
}

@test "/dev/full is told and ends the run with 4" {
    fails_with 4 "No space left on device" "$PPROC" in >/dev/full
    fails_with 4 "No space left on device" "$PPROC" -u <in >/dev/full
}

@test "/dev/full is no trouble when there is no output" {
    "$PPROC" -m 'no such line' in >/dev/full
}

@test "a closed standard output is told and ends the run with 4" {
    fails_with 4 "pproc: standard output: cannot be written: it is closed" "$PPROC" in >&-
}

@test "a closed standard output is no trouble when there is no output" {
    "$PPROC" -m 'no such line' in >&-
}

@test "a closed standard input is told and ends the run with 3" {
    fails_with 3 "pproc: -: " "$PPROC" <&-
}

@test "a closed standard input is no trouble when it is not read" {
    "$PPROC" in <&- >actual
    cmp in actual
}

@test "with closed standard input, the other inputs go on" {
    fails_with 3 "pproc: -: " "$PPROC" in - in <&- >actual
    cat in in | cmp - actual
}

@test "a message never goes to a file, though standard error is closed" {
    run -3 bash -c '"$0" no-such-file in >actual 2>&-' "$PPROC"
    cmp in actual
}

@test "a directory as standard input is told and ends the run with 3" {
    fails_with 3 "pproc: -: is a directory" "$PPROC" <.
}

@test "a reader that goes away ends the run by SIGPIPE, in silence" {
    local status
    env --default-signal=PIPE timeout 60 bash -c \
        '"$0" "$1" 2>err | true; echo "${PIPESTATUS[0]}"' "$PPROC" "$SAMPLE" >status
    [[ $(cat status) == 141 ]]
    [[ ! -s err ]]
}

@test "a reader that goes away while SIGPIPE is ignored ends the run with 4" {
    env --ignore-signal=PIPE timeout 60 bash -c \
        '"$0" "$1" 2>err | true; echo "${PIPESTATUS[0]}"' "$PPROC" "$SAMPLE" >status
    [[ $(cat status) == 4 ]]
    [[ $(grep -c '^pproc: ' err) == 1 ]]
    grep -qF "Broken pipe" err
}

@test "an endless input ends with its reader" {
    env --default-signal=PIPE timeout 60 bash -c \
        'yes | "$0" -j4 2>err | head -n 1; echo "${PIPESTATUS[*]}"' "$PPROC" >actual
    printf '%s\n' y "141 141 0" | cmp - actual
    [[ ! -s err ]]
}
